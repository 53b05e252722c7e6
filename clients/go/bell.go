package streamem

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// bell is what Fd gives: an epoll descriptor, the same for the reader's life, over a timer and either what a doorbell handed
// out or a pipe into which a goroutine writes that waits on the futex.
type bell struct {
	epoll, timer  int
	socket, event int // -1: none
	ringer        *ringer
	hurried       time.Duration // the timer's period once the generation is over
}

// Fd is a descriptor for epoll, poll and select, the same for the reader's life: readable when there is something to look
// at. Then call Latest, Newest(0) or Next(0), which clear it. It is also readable twice a second for nothing, so that a dead
// writer and its successor are noticed. It goes with Close.
func (r *Reader) Fd() (int, error) {
	if r.ring == nil {
		return -1, fail(ErrClosed, "%s: this reader is closed", r.path)
	}
	if r.bell != nil {
		return r.bell.epoll, nil
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return -1, fail(err, "%s: timerfd_create failed: %v", r.path, err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		unix.Close(timer)
		return -1, fail(err, "%s: epoll_create1 failed: %v", r.path, err)
	}
	r.bell = &bell{epoll: epoll, timer: timer, socket: -1, event: -1}
	r.bell.watch(timer)
	r.attachBell()
	return epoll, nil
}

func (b *bell) watch(fd int) {
	_ = unix.EpollCtl(b.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (b *bell) every(period time.Duration) {
	time := unix.NsecToTimespec(int64(period))
	_ = unix.TimerfdSettime(b.timer, 0, &unix.ItimerSpec{Interval: time, Value: time}, nil)
}

// attachBell listens to the present ring from now on.
func (r *Reader) attachBell() {
	b := r.bell
	if b == nil {
		return
	}
	b.detach()
	b.hurried = 0
	if r.ring.polled {
		b.every(pollInterval)
		return
	}
	b.every(waitSlice)
	if answer := r.findDoorbell(); answer != nil {
		unix.Close(answer.ring)
		if answer.generation == r.ring.generation {
			b.socket, b.event = answer.socket, answer.event
			b.watch(b.socket)
			b.watch(b.event)
			return
		}
		unix.Close(answer.socket) // a successor's: it says nothing of this ring, and the next look goes on to it
		unix.Close(answer.event)
		r.lookAt = time.Time{}
	}
	b.startRinger(r.ring)
}

// startRinger: should that fail the timer is left, late but never deaf.
func (b *bell) startRinger(ring *ring) {
	ends := make([]int, 2)
	if unix.Pipe2(ends, unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return
	}
	b.event = ends[0]
	b.ringer = &ringer{ring: ring, seen: ring.wake(), pipe: ends[1], done: make(chan struct{})} // seen: until it runs a frame may come
	b.watch(b.event)
	go b.ringer.run()
}

// clearBell makes the descriptor unreadable before the ring is looked at: what comes later makes it readable again.
func (r *Reader) clearBell() {
	b := r.bell
	if b == nil {
		return
	}
	bytes := make([]byte, 64)
	for i := 0; b.event >= 0 && i < 4096; i++ { // a foreign writer that never stops ringing does not hold us up
		if n, err := unix.Read(b.event, bytes); n < len(bytes) || err != nil {
			break // an eventfd gives 8 bytes at once
		}
	}
	if n, _ := unix.Read(b.timer, bytes[:8]); n > 0 && b.hurried > 0 && b.hurried*2 <= waitSlice {
		b.hurried *= 2
		b.every(b.hurried)
	}
	if b.socket < 0 {
		return
	}
	if n, _, err := unix.Recvfrom(b.socket, bytes[:1], unix.MSG_DONTWAIT); n == 0 && err == nil {
		b.detach() // the generation has ended or its writer died; left open it would spin
		b.startRinger(r.ring)
		r.lookAt = time.Time{}
		r.hurryBell(true)
	}
}

// hurryBell: the generation is over, and its successor is mostly a moment away: look soon, then ever more seldom.
func (r *Reader) hurryBell(retired bool) {
	b := r.bell
	if b == nil || !retired || b.hurried > 0 || r.ring.polled {
		return
	}
	b.hurried = 2 * pollInterval
	b.every(b.hurried)
}

func (b *bell) detach() {
	if b.ringer != nil {
		b.ringer.stop()
		b.ringer = nil
	}
	for _, fd := range []*int{&b.socket, &b.event} {
		if *fd >= 0 { // out of the epoll first: were there a duplicate, closing it would leave it in
			_ = unix.EpollCtl(b.epoll, unix.EPOLL_CTL_DEL, *fd, nil)
			unix.Close(*fd)
			*fd = -1
		}
	}
}

func (r *Reader) dropBell() {
	if r.bell == nil {
		return
	}
	r.bell.detach()
	unix.Close(r.bell.timer)
	unix.Close(r.bell.epoll)
	r.bell = nil
}

// ringer writes a byte into a pipe whenever the wake word has changed.
type ringer struct {
	ring    *ring
	seen    uint32
	pipe    int
	stopped uint32
	done    chan struct{}
}

func (r *ringer) run() {
	defer close(r.done)
	for atomic.LoadUint32(&r.stopped) == 0 {
		futexWait(&r.ring.header().wake, r.seen, waitSlice)
		if now := r.ring.wake(); now != r.seen {
			r.seen = now
			_, _ = unix.Write(r.pipe, []byte{0}) // full: it is readable already
		}
	}
	unix.Close(r.pipe)
}

func (r *ringer) stop() {
	atomic.StoreUint32(&r.stopped, 1)
	for {
		futexWake(&r.ring.header().wake) // others take it as a hint
		select {
		case <-r.done:
			return
		case <-time.After(50 * time.Microsecond): // it was on its way into the futex, where that wake-up missed it
		}
	}
}
