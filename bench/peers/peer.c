/* The turns alone, for a peer that is linked in as a library. */
#include "peer.h"
