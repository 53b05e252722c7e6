package streamem

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls that x/sys/unix has no function for.

const (
	futexWaitCall = 0 // not the private kind: the word is shared between processes
	futexWakeCall = 1
	ofdGetLock    = 36 // F_OFD_GETLK
	ofdSetLock    = 37 // F_OFD_SETLK
)

// futexWait sleeps while the word is seen, at most so long. A signal, another value and the end of the time all mean: look.
func futexWait(word *uint32, seen uint32, most time.Duration) {
	limit := unix.NsecToTimespec(int64(most))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitCall, uintptr(seen), uintptr(unsafe.Pointer(&limit)), 0, 0)
}

func futexWake(word *uint32) {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeCall, math.MaxInt32, 0, 0, 0)
}

// lockHeld says whether a writer holds this file. It asks as a reader and never takes the lock: taking it to find out would
// refuse honest starters.
func lockHeld(fd int) bool {
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	return unix.FcntlFlock(uintptr(fd), ofdGetLock, &lock) == nil && lock.Type != unix.F_UNLCK
}

// lockFile takes the whole file's write lock, of the open file description: no other close of the file drops it.
func lockFile(fd int) error {
	return unix.FcntlFlock(uintptr(fd), ofdSetLock, &unix.Flock_t{Type: unix.F_WRLCK})
}
