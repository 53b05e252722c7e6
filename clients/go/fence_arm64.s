#include "textflag.h"

// DMB ISHLD: loads before it come before loads and stores after it.
TEXT ·fenceAcquire(SB), NOSPLIT, $0-0
	DMB $0x9
	RET

// DMB ISH: a release fence has to hold back earlier loads as well, which ISHST does not.
TEXT ·fenceRelease(SB), NOSPLIT, $0-0
	DMB $0xb
	RET
