package streamem

import (
	"strings"
	"sync/atomic"
	"unsafe"
)

// Meta is what a writer says about one frame. Its zero value says nothing.
type Meta struct {
	CaptureTimeNs Maybe // CLOCK_MONOTONIC
	TimeErrorNs   Maybe // bound of the error of CaptureTimeNs
	DeviceTime    Maybe // the device's own ticks
	ClockEpoch    uint32
	// Fields by the names in the descriptor's Fields: numbers, slices of numbers, bytes.
	Fields map[string]any
	// Shape of this frame, where it is not the descriptor's. Of a one-dimensional stream it follows from the size.
	Shape []int
	// RefersTo is the frame that this one was computed from; unless CaptureTimeNs is known its times are taken over.
	RefersTo *Reference
}

// Publish publishes one frame and gives its sequence. It never waits for a reader.
//
// A frame that does not fit begins a new generation. Errors: ErrArgument where bytes and shape do not agree, or a field is
// wrong; ErrTooLarge a message that does not fit; ErrBusy a frame is acquired, or the name was removed and another writer has
// the stream now; ErrForked; ErrClosed; ErrNoRoom.
func (w *Writer) Publish(data []byte, meta Meta) (uint64, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err := w.ready(); err != nil {
		return 0, err
	}
	shape, own, err := w.shapeOf(len(data), meta.Shape)
	if err != nil {
		return 0, err
	}
	if len(data) > w.made.plan.payloadCapacity {
		if err := w.grow(len(data), shape); err != nil {
			return 0, err
		}
		own = false
	}
	head, area, err := w.slotHeader(len(data), shape, own, meta)
	if err != nil {
		return 0, err
	}
	copy(w.open(), data)
	return w.commit(head, area), nil
}

// Acquire begins a frame: the slot's memory, as many bytes as the payload capacity, to be filled by any means, streaming
// stores too. Then Commit or Abort, after which the memory is no more the caller's.
func (w *Writer) Acquire() ([]byte, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err := w.ready(); err != nil {
		return nil, err
	}
	return w.open(), nil
}

// Commit publishes the acquired frame of so many bytes. After an error the frame is still acquired.
func (w *Writer) Commit(bytes int, meta Meta) (uint64, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err := w.usable(); err != nil {
		return 0, err
	}
	if w.made == nil || w.writing == 0 {
		return 0, fail(ErrArgument, "stream %s: Commit without Acquire", w.name)
	}
	if bytes < 0 || bytes > w.made.plan.payloadCapacity {
		return 0, fail(ErrTooLarge, "stream %s: a frame of %d bytes, its payload capacity is %d", w.name, bytes, w.made.plan.payloadCapacity)
	}
	shape, own, err := w.shapeOf(bytes, meta.Shape)
	if err != nil {
		return 0, err
	}
	head, area, err := w.slotHeader(bytes, shape, own, meta)
	if err != nil {
		return 0, err
	}
	return w.commit(head, area), nil
}

// Abort gives the acquired frame up; the next one gets its sequence. The frame that the slot held before is gone.
func (w *Writer) Abort() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.writing = 0
}

// ready sees to a ring that a frame can be begun in.
func (w *Writer) ready() error {
	old, err := w.oldPlan()
	if err != nil {
		return err
	}
	if w.writing != 0 {
		return fail(ErrBusy, "stream %s: frame %d is acquired: Commit or Abort it first", w.name, w.writing)
	}
	if w.made == nil {
		return w.begin(old)
	}
	return w.lookAfterTheName()
}

// open begins the next frame in its slot and gives the slot's payload.
func (w *Writer) open() []byte {
	m := w.made
	w.writing = m.sequence + 1
	at := m.slotAt(w.writing)
	atomic.StoreUint64(&(*slotHeader)(unsafe.Pointer(&m.memory[at])).begin, w.writing)
	fenceRelease() // (A) without it payload stores may be seen before begin, and a reader trusts a mixed frame
	start := at + m.plan.payloadOffset
	return m.memory[start : start+m.plan.payloadCapacity : start+m.plan.payloadCapacity]
}

func (w *Writer) commit(head slotHeader, area []byte) uint64 {
	m, seq := w.made, w.writing
	at := m.slotAt(seq)
	slot := (*slotHeader)(unsafe.Pointer(&m.memory[at]))
	copy(m.memory[at+slotHeaderBytes:], area)
	head.publishUTCNs, head.publishTimeNs = utcNs(), monotonicNs()
	const times = unsafe.Offsetof(slot.deviceTime) // all but begin and end
	copy(m.memory[at+int(times):at+slotHeaderBytes], (*[unsafe.Sizeof(head)]byte)(unsafe.Pointer(&head))[times:])
	fenceRelease() // (B) streaming stores of the payload are out before end
	header := m.header()
	atomic.StoreUint64(&slot.end, seq)              // (C)
	atomic.StoreUint64(&header.latest, seq)         // (D)
	atomic.StoreUint32(&header.wake, header.wake+1) // (E)
	m.sequence, w.writing = seq, 0
	futexWake(&header.wake)
	return seq
}

// shapeOf is the shape of a frame of so many bytes, and whether the slot has to state it.
func (w *Writer) shapeOf(bytes int, shape []int) (whole []int, own bool, err error) {
	p := w.made.plan
	usual := p.descriptor.Shape
	if shape == nil {
		if bytes == p.frameBytes {
			return usual, false, nil
		}
		if len(usual) == 1 {
			shape = []int{bytes / p.itemBytes}
		} else {
			shape = usual
		}
	}
	items, fits := product(shape, bytes/p.itemBytes)
	if !fits || items*p.itemBytes != bytes {
		return nil, false, fail(ErrArgument, "stream %s: %d bytes are no frame of shape %v and dtype %s: give the frame's own shape",
			w.name, bytes, shape, p.descriptor.Dtype)
	}
	return shape, !sameShape(shape, usual) || bytes != p.frameBytes, nil
}

// grow begins a generation that takes such frames.
func (w *Writer) grow(bytes int, shape []int) error {
	p := w.made.plan
	if p.descriptor.Kind == "message" {
		return fail(ErrTooLarge, "stream %s: a message of %d bytes, its payload capacity is %d: Create it with a larger PayloadCapacity",
			w.name, bytes, p.payloadCapacity)
	}
	d := p.descriptor
	d.Shape, d.Strides = shape, nil
	larger, err := newPlan(w.name, d, CreateOptions{Slots: p.slotCount})
	if err != nil {
		return err
	}
	return w.begin(larger)
}

// slotHeader is the frame's slot header, without its sequence and publish times, and its metadata area.
func (w *Writer) slotHeader(bytes int, shape []int, own bool, meta Meta) (slotHeader, []byte, error) {
	if to := meta.RefersTo; to != nil && !meta.CaptureTimeNs.known {
		meta.CaptureTimeNs, meta.TimeErrorNs, meta.ClockEpoch = to.CaptureTimeNs, to.timeErrorNs, to.clockEpoch
	}
	head := slotHeader{
		deviceTime: meta.DeviceTime.forSlot(), captureTimeNs: meta.CaptureTimeNs.forSlot(), timeErrorNs: meta.TimeErrorNs.forSlot(),
		payloadBytes: uint64(bytes), clockEpoch: meta.ClockEpoch,
	}
	if own {
		head.dimensions = uint32(len(shape))
		for i, n := range shape {
			head.shape[i] = uint32(n)
		}
	}
	area, err := w.area(meta)
	head.fieldsBytes = uint32(len(area))
	return head, area, err
}

// area is the metadata area's bytes: none where the frame has neither fields nor a reference.
func (w *Writer) area(meta Meta) ([]byte, error) {
	if meta.Fields == nil && meta.RefersTo == nil {
		return nil, nil
	}
	d := &w.made.plan.descriptor
	end, known := 0, map[string]*Field{}
	for i := range d.Fields {
		field := &d.Fields[i]
		known[field.Name] = field
		if _, given := meta.Fields[field.Name]; given {
			if _, _, _, fieldEnd, _ := field.layout(); fieldEnd > end {
				end = fieldEnd
			}
		}
	}
	if meta.RefersTo != nil {
		if !hasReference(d) {
			return nil, fail(ErrArgument, "stream %s has no fields for a reference: message streams have them by default", w.name)
		}
		if end < referenceBytes {
			end = referenceBytes
		}
	}
	area := make([]byte, end)
	for name, value := range meta.Fields {
		field, there := known[name]
		if !there {
			return nil, fail(ErrArgument, "stream %s has no field %q; there are: %s", w.name, name, fieldNames(d.Fields))
		}
		if err := field.write(area, value); err != nil {
			return nil, fail(err, "stream %s: %v", w.name, err)
		}
	}
	if meta.RefersTo == nil {
		return area, nil
	}
	return area, meta.RefersTo.write(area)
}

func fieldNames(fields []Field) string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	return strings.Join(names, ", ")
}
