package streamem

// Last is the newest n frames still in the ring, oldest first; fewer where there are fewer, or some are not whole. More than
// slots - 1 is an error: the writer may be in the oldest slot at any time.
func (r *Reader) Last(n int) ([]*Frame, error) {
	if r.ring == nil {
		return nil, fail(ErrClosed, "%s: this reader is closed", r.path)
	}
	r.follow(nil)
	window := r.ring.window()
	if n < 1 || uint64(n) > window {
		return nil, fail(ErrArgument, "last(%d): %s has %d slots, so 1 to %d frames can be asked for; its setting slots is how to keep more",
			n, r.path, r.ring.slotCount, window)
	}
	return r.ring.readLast(uint64(n)), nil
}

func (r *ring) readLast(n uint64) []*Frame {
	newest := r.latest()
	frames := make([]*Frame, 0, n)
	for i := r.oldest(newest, n); i <= newest && i != 0; i++ { // a damaged latest of all ones wraps to 0
		if frame := r.read(i); frame != nil {
			frames = append(frames, frame)
		}
	}
	return frames
}

// Nearest is the frame in the ring whose capture time is nearest to timeNs; of two as near the newer. nil where no frame has
// a capture time.
func (r *Reader) Nearest(timeNs uint64) *Frame {
	if r.ring == nil {
		return nil
	}
	r.follow(nil)
	for attempt := 0; attempt < retriesMax; attempt++ {
		var best *Frame
		distance := unknown
		for _, frame := range r.ring.readLast(r.ring.window()) {
			if capture, known := frame.CaptureTimeNs.Get(); known && apart(capture, timeNs) <= distance {
				best, distance = frame, apart(capture, timeNs)
			}
		}
		if best == nil || best.Valid() {
			return best
		}
	}
	return nil
}

func apart(a, b uint64) uint64 {
	if a > b {
		return a - b
	}
	return b - a
}

// Stack is frames of one size, one after the other, one's own.
type Stack struct {
	Data  []byte
	Shape []int // the number of frames, then the shape of one; nil where that is not known
	Seqs  []uint64
}

// history is the copies of the frames that a reader has taken, once Stack was asked for.
type history struct {
	most   int
	frames []remembered
}

type remembered struct {
	seq   uint64
	shape []int
	data  []byte
}

func (h *history) clear() { h.frames = nil }

func (h *history) remember(frame *Frame) {
	one := remembered{seq: frame.Seq, shape: frame.Shape}
	if len(h.frames) == h.most { // the oldest one's memory, where it fits
		if old := h.frames[0].data; uint64(len(old)) == frame.bytes {
			one.data = old
		}
		h.frames = h.frames[1:]
	}
	data, err := frame.Copy(one.data)
	if err == nil {
		one.data = data
		h.frames = append(h.frames, one)
	}
}

// Stack is the newest n frames that this reader has taken, oldest first, every copy checked. It takes the newest frame
// itself. The first call fills from the ring as far as the ring goes (slots - 1); beyond, it fills as frames are taken by any
// verb. Frames of another shape than the newest one's are left out. nil before the first frame.
func (r *Reader) Stack(n int) (*Stack, error) {
	if r.ring == nil {
		return nil, fail(ErrClosed, "%s: this reader is closed", r.path)
	}
	if n < 1 {
		return nil, fail(ErrArgument, "stack(%d): a number of frames, 1 or more", n)
	}
	r.follow(nil)
	if r.history == nil || r.history.most < n {
		r.startHistory(n)
	} else {
		r.Latest()
	}
	return r.history.stack(n), nil
}

func (r *Reader) startHistory(n int) {
	r.history = &history{most: n}
	most := r.ring.window()
	if uint64(n) < most {
		most = uint64(n)
	}
	for _, frame := range r.ring.readLast(most) {
		if frame.Seq > r.given {
			r.give(frame)
		} else {
			r.history.remember(frame)
		}
	}
}

func (h *history) stack(n int) *Stack {
	taken := h.frames
	if len(taken) == 0 {
		return nil
	}
	if len(taken) > n {
		taken = taken[len(taken)-n:]
	}
	newest, stack := taken[len(taken)-1], &Stack{}
	for _, one := range taken {
		if len(one.data) == len(newest.data) && sameShape(one.shape, newest.shape) {
			stack.Data = append(stack.Data, one.data...)
			stack.Seqs = append(stack.Seqs, one.seq)
		}
	}
	if newest.shape != nil {
		stack.Shape = append([]int{len(stack.Seqs)}, newest.shape...)
	}
	return stack
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
