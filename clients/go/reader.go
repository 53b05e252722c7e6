package streamem

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Reader reads one stream and follows its writer through restarts by itself. It belongs to one goroutine at a time.
type Reader struct {
	prefix  string
	name    string // empty where it was opened by path
	path    string
	ring    *ring  // nil once closed
	given   uint64 // sequence given last in this generation
	started bool   // a frame was given, in this generation or before
	carried uint64 // frames of ended generations that nobody will get
	missed  uint64
	lookAt  time.Time // when to ask next whether this generation is over
	history *history
	bell    *bell
}

// Options say where a stream is and how long to wait until it is there.
type Options struct {
	Prefix  string        // empty: $STREAMEM_PREFIX, else "streamem"
	Timeout time.Duration // 0: do not wait; Forever
}

// Open opens the stream of that name, or the ring at that path where the name has a slash.
//
// Errors: fs.ErrNotExist it is not there, fs.ErrPermission not ours to read, ErrNotRing, ErrTruncated, ErrDamaged, ErrVersion.
func Open(name string, options Options) (*Reader, error) {
	r := &Reader{path: name}
	if !strings.Contains(name, "/") {
		prefix, err := checkedPrefix(options.Prefix)
		if err != nil {
			return nil, err
		}
		if err := checkName(name); err != nil {
			return nil, err
		}
		r.prefix, r.name, r.path = prefix, name, ringPath(prefix, name)
	}
	end := deadlineAfter(options.Timeout)
	for {
		ring, err := r.openRing()
		if err == nil {
			r.ring = ring
			r.lookAt = time.Now().Add(waitSlice)
			return r, nil
		}
		if !errors.Is(err, unix.ENOENT) || end.left(waitSlice) <= 0 { // all else does not mend itself
			return nil, err
		}
		time.Sleep(end.left(5 * pollInterval))
	}
}

// Latest is the newest frame; it never waits and may repeat. nil: nothing is published yet, or the writer overtook eight
// attempts (lapped), and the next call may succeed.
func (r *Reader) Latest() *Frame {
	if r.ring == nil {
		return nil
	}
	r.clearBell()
	r.follow(nil)
	frame := r.ring.readNewest()
	if frame != nil {
		r.give(frame)
	}
	return frame
}

// Newest is the newest frame not given yet; it waits for it up to timeout, then gives nil. What a model wants in its loop.
func (r *Reader) Newest(timeout time.Duration) *Frame {
	if r.ring == nil {
		return nil
	}
	r.follow(nil)
	return r.take(timeout, false)
}

// Next is the frame after the one given last (at first: the newest); it waits up to timeout, then gives nil. When the writer
// has overtaken this reader it goes on at the newest; frame.Missed says how many were left out. What an ended generation
// still holds comes before the first frame of its successor.
func (r *Reader) Next(timeout time.Duration) *Frame {
	if r.ring == nil {
		return nil
	}
	return r.take(timeout, true)
}

func (r *Reader) take(timeout time.Duration, inOrder bool) *Frame {
	end := deadlineAfter(timeout)
	r.clearBell()
	for {
		ring := r.ring
		seen := ring.wake()     // (E') before latest, or a frame between the two is slept through
		newest := ring.latest() // (D')
		if newest > r.given {
			frame := r.after(newest, inOrder)
			if frame == nil {
				frame = ring.readNewest()
			}
			if frame != nil && frame.Seq > r.given {
				return r.give(frame)
			}
			if timeout == 0 {
				return nil
			}
		}
		if r.follow(&newest) {
			continue
		}
		if !r.wait(seen, end) {
			return nil
		}
	}
}

// after is the frame that follows the one given last, if the reader wants it and it is still there.
func (r *Reader) after(newest uint64, inOrder bool) *Frame {
	if !inOrder || !r.started || newest-r.given-1 >= r.ring.window() {
		return nil
	}
	return r.ring.read(r.given + 1)
}

func (r *Reader) give(frame *Frame) *Frame {
	if frame.Seq <= r.given { // Latest may repeat
		return frame
	}
	if r.started {
		frame.Missed = frame.Seq - r.given - 1 + r.carried
		r.missed += frame.Missed
	}
	r.carried, r.started, r.given = 0, true, frame.Seq
	if r.history != nil {
		r.history.remember(frame)
	}
	return frame
}

// Missed is the number of frames that were published and not given, in all.
func (r *Reader) Missed() uint64 { return r.missed }

// Descriptor is what the stream says about itself, in the generation being read. nil once closed.
func (r *Reader) Descriptor() *Descriptor {
	if r.ring == nil {
		return nil
	}
	return r.ring.descriptor
}

// Generation is the id of the ring being read, 32 hexadecimal digits.
func (r *Reader) Generation() string {
	if r.ring == nil {
		return ""
	}
	return r.ring.generation
}

// State of a stream's writer.
type State string

const (
	Live    State = "live"
	Stalled State = "stalled" // no frame for max(2 s, 5 periods) where the rate is known
	Dead    State = "dead"    // its writer is gone without a word
	Retired State = "retired" // its writer ended it, and no successor is there yet
)

// State says how the writer is; asking costs no frame. A closed reader's is Retired.
func (r *Reader) State() State {
	if r.ring == nil {
		return Retired
	}
	var drained *uint64
	if r.started {
		drained = &r.given
	}
	r.follow(drained)
	ring := r.ring
	switch {
	case ring.retired():
		return Retired
	case !lockHeld(ring.fd):
		return Dead
	case !(ring.descriptor.Rate > 0):
		return Live
	}
	limit := 5e9 / ring.descriptor.Rate
	if limit < 2e9 {
		limit = 2e9
	}
	late := float64(int64(utcNs() - ring.startUTCNs))
	if frame := ring.readNewest(); frame != nil {
		late = float64(int64(monotonicNs() - frame.PublishTimeNs))
	} else if ring.latest() != 0 {
		return Live // lapped: it is anything but late
	}
	if late > limit {
		return Stalled
	}
	return Live
}

// Close ends reading. Frames already given stay as they are.
func (r *Reader) Close() error {
	if r.ring == nil {
		return nil
	}
	r.dropBell()
	r.ring.closeFile()
	r.ring, r.history = nil, nil
	return nil
}

// wait sleeps until the wake word leaves seen, at most a slice; false once the time is over.
func (r *Reader) wait(seen uint32, end deadline) bool {
	left := end.left(waitSlice)
	switch {
	case left <= 0:
		return false
	case r.ring.retired(): // a successor comes within milliseconds
		time.Sleep(end.left(5 * pollInterval))
	case r.ring.polled:
		time.Sleep(end.left(pollInterval))
	default:
		futexWait(&r.ring.header().wake, seen, left)
	}
	return true
}
