package streamem

import (
	"strconv"
	"sync/atomic"
	"time"
)

// Maybe is a number of ns or ticks, or not known: its zero value is not known.
type Maybe struct {
	value uint64
	known bool
}

// Known is a number that is known.
func Known(value uint64) Maybe { return Maybe{value, true} }

// Get gives the number, and whether it is known.
func (m Maybe) Get() (value uint64, known bool) { return m.value, m.known }

// MarshalJSON writes a decimal string, which keeps all 64 bits in every language, or null.
func (m Maybe) MarshalJSON() ([]byte, error) {
	if !m.known {
		return []byte("null"), nil
	}
	return []byte(`"` + strconv.FormatUint(m.value, 10) + `"`), nil
}

func fromSlot(value uint64) Maybe {
	if value == unknown {
		return Maybe{}
	}
	return Known(value)
}

func (m Maybe) forSlot() uint64 {
	if m.known {
		return m.value
	}
	return unknown
}

// Frame is one frame. Its numbers are its own, copied and checked; Data, FieldBytes and Array are views into the ring: ask
// Valid after their last use, or take Copy.
type Frame struct {
	Seq    uint64 // from 1 in each generation
	Missed uint64 // frames published between the one given before and this one
	Shape  []int  // in C order: the frame's own, else the descriptor's; nil where neither says one

	DeviceTime    Maybe  // the device's own ticks; the descriptor's Clock names their unit
	CaptureTimeNs Maybe  // that instant on CLOCK_MONOTONIC
	TimeErrorNs   Maybe  // bound of the error of CaptureTimeNs
	PublishTimeNs uint64 // when it became readable, CLOCK_MONOTONIC
	PublishUTCNs  uint64 // the same instant on CLOCK_REALTIME, since 1970
	ClockEpoch    uint32 // grows when the device's clock was reset

	ring       *ring
	slot       *slotHeader
	bytes      uint64
	fieldBytes uint64
	ownShape   bool
}

func newFrame(r *ring, seq uint64, slot, head *slotHeader, shape []int) *Frame {
	return &Frame{
		Seq: seq, Shape: shape,
		DeviceTime: fromSlot(head.deviceTime), CaptureTimeNs: fromSlot(head.captureTimeNs), TimeErrorNs: fromSlot(head.timeErrorNs),
		PublishTimeNs: head.publishTimeNs, PublishUTCNs: head.publishUTCNs, ClockEpoch: head.clockEpoch,
		ring: r, slot: slot, bytes: head.payloadBytes, fieldBytes: uint64(head.fieldsBytes), ownShape: head.dimensions > 0,
	}
}

// Generation is the id of the ring it came from, 32 hexadecimal digits. Sequences of two generations do not compare.
func (f *Frame) Generation() string { return f.ring.generation }

// Descriptor is that of the frame's generation.
func (f *Frame) Descriptor() *Descriptor { return f.ring.descriptor }

// Len is the size of the payload in bytes.
func (f *Frame) Len() int { return int(f.bytes) }

// OwnShape says whether the frame itself states its shape; else it has the descriptor's.
func (f *Frame) OwnShape() bool { return f.ownShape }

// Data is the payload: a view into the ring, read-only, no copy.
func (f *Frame) Data() []byte { return f.view(f.ring.payloadOffset, f.bytes) }

func (f *Frame) view(offset, bytes uint64) []byte {
	start := f.ring.slotsOffset + f.Seq%f.ring.slotCount*f.ring.slotStride + offset
	return f.ring.memory[start : start+bytes : start+bytes]
}

// Valid says whether the views are still whole. Ask after the use: a yes covers everything that was read before it.
func (f *Frame) Valid() bool {
	fenceAcquire() // (F)
	return atomic.LoadUint64(&f.slot.begin) == f.Seq
}

// Copy puts the payload into the first Len bytes of out and gives them, checked, without any allocation; with a nil out into
// memory of its own. ErrLapped: the frame was overwritten first, and out holds rubbish. ErrArgument: out is too small.
func (f *Frame) Copy(out []byte) ([]byte, error) {
	if out == nil {
		out = make([]byte, f.bytes)
	}
	if uint64(len(out)) < f.bytes {
		return nil, fail(ErrArgument, "%s: out has %d bytes, frame %d has %d", f.ring.where, len(out), f.Seq, f.bytes)
	}
	out = out[:f.bytes]
	copy(out, f.Data())
	return out, f.checked()
}

func (f *Frame) checked() error {
	if f.Valid() {
		return nil
	}
	return fail(ErrLapped, "%s: frame %d was overwritten before it was copied; take a newer one, copy sooner, or give the stream more slots (it has %d)",
		f.ring.where, f.Seq, f.ring.slotCount)
}

// Age is the time since it was captured; since it was published where the capture time is unknown.
func (f *Frame) Age() time.Duration {
	since := f.PublishTimeNs
	if capture, known := f.CaptureTimeNs.Get(); known {
		since = capture
	}
	return time.Duration(int64(monotonicNs() - since))
}
