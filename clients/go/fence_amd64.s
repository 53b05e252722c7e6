#include "textflag.h"

// x86-64 keeps loads in order: the call alone binds the compiler, which is all that (F) needs here.
TEXT ·fenceAcquire(SB), NOSPLIT, $0-0
	RET

// Stores keep their order too, but for streaming ones, which pass any other store. Go's copy uses them from 1 MiB on.
TEXT ·fenceRelease(SB), NOSPLIT, $0-0
	SFENCE
	RET
