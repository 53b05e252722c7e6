package streamem

import (
	"time"

	"golang.org/x/sys/unix"
)

// Forever as a timeout waits for as long as it takes.
const Forever time.Duration = -1

const (
	waitSlice    = 500 * time.Millisecond // no wait is longer before the ring's health is looked at
	pollInterval = 2 * time.Millisecond
)

// monotonicNs is CLOCK_MONOTONIC in ns, the clock of capture and publish times. time.Now has it too, but does not give it away.
func monotonicNs() uint64 { return clockNs(unix.CLOCK_MONOTONIC) }

func utcNs() uint64 { return clockNs(unix.CLOCK_REALTIME) }

func clockNs(clock int32) uint64 {
	var t unix.Timespec
	_ = unix.ClockGettime(clock, &t) // both clocks exist on every Linux
	return uint64(t.Nano())
}

// deadline is the end of a wait; never is one that is not reached.
type deadline struct {
	at    time.Time
	never bool
}

func deadlineAfter(timeout time.Duration) deadline {
	return deadline{time.Now().Add(timeout), timeout < 0}
}

// left is the time until then, at most most.
func (d deadline) left(most time.Duration) time.Duration {
	if d.never {
		return most
	}
	if left := time.Until(d.at); left < most {
		return left
	}
	return most
}
