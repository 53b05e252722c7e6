package streamem

import (
	"errors"
	"io/fs"
	"time"
)

// MissingReason says why a stream has no frame in a set.
type MissingReason string

const (
	TooEarly   MissingReason = "too early"   // it has nothing as late as the instant yet; in mode Available alone
	TooLate    MissingReason = "too late"    // its first frame that can be had is after the instant
	Gap        MissingReason = "gap"         // frames before and after, none near enough, or the near one was given already
	StreamDown MissingReason = "stream down" // its writer is gone, or there is no such stream
)

const (
	lookEvery = 100 * time.Millisecond // for a stream that is not there
	downAfter = 250 * time.Millisecond // a writer that restarts is no hole: a successor comes sooner
)

// syncMember is one of the streams that are lined up.
type syncMember struct {
	name, prefix string
	reader       *Reader
	lookedAt     time.Time
	lookError    error
	downSince    time.Time
	before       *Frame // the last frame passed and not yet given
	after        *Frame // the next one, not consumed
	passed       bool   // any frame was
	overwritten  uint64
	given        map[uint64]bool // in mode Available, of one generation
	generation   string
}

// timeOf is when a frame was: its capture, unless that is unknown or a broken clock put it after its publication.
func timeOf(f *Frame) uint64 {
	if capture, known := f.CaptureTimeNs.Get(); known && capture <= f.PublishTimeNs {
		return capture
	}
	return f.PublishTimeNs
}

// open gives the stream's reader; an error that is fs.ErrNotExist where there is no such stream now.
func (m *syncMember) open() (*Reader, error) {
	if m.reader != nil || time.Since(m.lookedAt) < lookEvery {
		return m.reader, m.lookError
	}
	m.lookedAt = time.Now()
	m.reader, m.lookError = Open(m.name, Options{Prefix: m.prefix})
	return m.reader, m.lookError
}

// next is the frame after the last one, waited for.
func (m *syncMember) next(wait time.Duration) (*Frame, error) {
	reader, err := m.open()
	if reader != nil {
		return reader.Next(wait), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	time.Sleep(wait)
	return nil, nil
}

// down: dead or retired without a successor for so long, or not there at all.
func (m *syncMember) down(least time.Duration) bool {
	if m.reader == nil {
		return true
	}
	if state := m.reader.State(); state != Dead && state != Retired {
		m.downSince = time.Time{}
		return false
	}
	if m.downSince.IsZero() {
		m.downSince = time.Now()
	}
	return time.Since(m.downSince) >= least
}

// decided is the answer that no later frame can change; neither frame nor reason where there is none within wait. Asking
// again with the same instant goes on where it was.
func (m *syncMember) decided(timeNs, tolerance uint64, wait time.Duration) (*Frame, MissingReason, error) {
	for {
		reached, err := m.reach(timeNs, 0)
		if err != nil {
			return nil, "", err
		}
		if !reached {
			down := m.down(downAfter) // before the last look: what was published until then comes first
			if down {
				wait = 0
			}
			if reached, err = m.reach(timeNs, wait); err != nil || !reached && !down {
				return nil, "", err
			}
		}
		if !m.dropOverwritten() {
			frame, reason := m.nearer(timeNs, tolerance)
			return frame, reason, nil
		}
	}
}

// reach passes all frames before the instant, and says whether one at or after it is known.
func (m *syncMember) reach(timeNs uint64, wait time.Duration) (bool, error) {
	for {
		if m.after == nil {
			frame, err := m.next(wait)
			if frame == nil {
				return false, err
			}
			m.after = frame
		}
		if timeOf(m.after) >= timeNs {
			return true, nil
		}
		m.before, m.after, m.passed = m.after, nil, true
	}
}

func (m *syncMember) nearer(timeNs, tolerance uint64) (*Frame, MissingReason) {
	before, after := unknown, unknown
	if m.before != nil {
		before = apart(timeOf(m.before), timeNs)
	}
	if m.after != nil {
		after = apart(timeOf(m.after), timeNs)
	}
	switch {
	case m.before != nil && before <= tolerance && before <= after:
		return m.before, ""
	case m.after != nil && after <= tolerance:
		return m.after, ""
	case m.after == nil:
		return nil, StreamDown
	case m.passed:
		return nil, Gap
	}
	return nil, TooLate
}

// dropOverwritten: one that was overwritten while it waited counts as never come.
func (m *syncMember) dropOverwritten() (dropped bool) {
	for _, frame := range []**Frame{&m.before, &m.after} {
		if *frame != nil && !(*frame).Valid() {
			*frame, dropped = nil, true
			m.overwritten++
		}
	}
	return dropped
}

// take: the frame is given and belongs to no other set.
func (m *syncMember) take(frame *Frame) {
	if frame == m.after {
		m.after, m.before, m.passed = nil, nil, true
	}
	if frame == m.before {
		m.before = nil
	}
	if m.generation != frame.Generation() {
		m.generation, m.given = frame.Generation(), map[uint64]bool{}
	}
	slots := frame.ring.slotCount
	m.given[frame.Seq] = true
	if uint64(len(m.given)) > 2*slots {
		for seq := range m.given {
			if seq+slots <= frame.Seq {
				delete(m.given, seq)
			}
		}
	}
}

// available is the answer by what is in the ring now.
func (m *syncMember) available(timeNs, tolerance uint64) (*Frame, MissingReason, error) {
	reader, err := m.open()
	if reader == nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, StreamDown, nil
		}
		return nil, "", err
	}
	reader.follow(nil)
	frames := reader.ring.readBack(timeNs, tolerance)
	var best *Frame
	for _, frame := range frames {
		away := apart(timeOf(frame), timeNs)
		if away > tolerance || m.generation == frame.Generation() && m.given[frame.Seq] {
			continue
		}
		if best == nil || away < apart(timeOf(best), timeNs) {
			best = frame
		}
	}
	switch {
	case best != nil:
		return best, "", nil
	case m.down(0):
		return nil, StreamDown, nil
	case len(frames) == 0 || timeOf(frames[len(frames)-1])+tolerance < timeNs:
		return nil, TooEarly, nil
	case timeOf(frames[0]) > timeNs+tolerance:
		return nil, TooLate, nil
	}
	return nil, Gap, nil
}

// readBack is the ring's frames, oldest first, back to one before the tolerance, or all: most of a long ring is of no use.
func (r *ring) readBack(timeNs, tolerance uint64) []*Frame {
	for n := uint64(8); ; n *= 4 {
		if n >= r.window() {
			return r.readLast(r.window())
		}
		frames := r.readLast(n)
		if uint64(len(frames)) < n || timeOf(frames[0])+tolerance < timeNs {
			return frames
		}
	}
}

func (m *syncMember) missed() uint64 {
	if m.reader == nil {
		return m.overwritten
	}
	return m.overwritten + m.reader.Missed()
}

func (m *syncMember) close() {
	if m.reader != nil {
		m.reader.Close()
	}
	m.reader, m.before, m.after = nil, nil, nil
	m.lookError = fail(ErrClosed, "stream %s: closed", m.name)
	m.lookedAt = time.Now()
}
