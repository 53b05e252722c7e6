package streamem

import (
	"sort"
	"strings"
)

// CreateOptions are what a new ring is made of besides its descriptor.
type CreateOptions struct {
	Prefix          string // empty: $STREAMEM_PREFIX, else "streamem"
	Slots           int    // 4 to 65536; 0: 8 for video, depth and tensor, 64 for audio, 256 for imu, pose and message
	PayloadCapacity int    // bytes of the largest frame; 0: what shape and dtype need, 16384 for messages
	Group           string // name or number of a group that may read too; empty: only this user may
}

// plan is a descriptor checked and completed, and the sizes that follow from it.
type plan struct {
	descriptor      Descriptor
	slotCount       int
	payloadCapacity int
	fieldsCapacity  int
	payloadOffset   int
	slotStride      int
	itemBytes       int
	frameBytes      int // of the descriptor's shape, from its first to its last byte
}

const (
	messageBytes       = 16384
	payloadCapacityMax = 1 << 40
)

var slotsOfKind = map[string]int{"video": 8, "depth": 8, "tensor": 8, "audio": 64, "imu": 256, "pose": 256, "message": 256}

func roundUp(value, to int) int { return (value + to - 1) / to * to }

func newPlan(stream string, d Descriptor, options CreateOptions) (*plan, error) {
	refuse := func(format string, values ...any) (*plan, error) {
		return nil, fail(ErrArgument, "stream %s: "+format, append([]any{stream}, values...)...)
	}
	d.Name, d.Wake, d.Shm, d.Raw = stream, nil, nil, nil
	if d.Kind == "" {
		d.Kind = "tensor"
	}
	slots, known := slotsOfKind[d.Kind]
	if !known {
		return refuse("kind %q: allowed are %s", d.Kind, strings.Join(kinds(), ", "))
	}
	if options.Slots != 0 {
		slots = options.Slots
	}
	if slots < slotsMin || slots > slotsMax {
		return refuse("slots is %d, allowed are %d to %d", slots, slotsMin, slotsMax)
	}
	p := &plan{slotCount: slots, payloadCapacity: options.PayloadCapacity}
	if d.Kind == "message" {
		p.completeMessage(&d)
	}
	if d.Encoding != "" && d.Encoding != "json" && d.Encoding != "utf8" && d.Encoding != "msgpack" {
		return refuse("encoding %q: allowed are json, utf8, msgpack", d.Encoding)
	}
	if d.Clock == nil {
		d.Clock = &Clock{"CLOCK_MONOTONIC", "ns", "boot", "local"}
	}
	if d.Shape == nil {
		d.Shape = []int{}
	}
	p.itemBytes = d.Dtype.ItemBytes()
	if p.itemBytes == 0 {
		return refuse("dtype %q: a NumPy typestr such as |u1 or <f4, or members", d.Dtype)
	}
	items, fits := product(d.Shape, payloadCapacityMax/p.itemBytes)
	if !fits {
		return refuse("shape %v: at most 8 sizes below 2^32, and 1 TiB", d.Shape)
	}
	p.frameBytes = items * p.itemBytes
	if !p.spread(&d, items) {
		return refuse("strides %v: as many sizes in bytes as shape %v has, within 1 TiB", d.Strides, d.Shape)
	}
	end := 0
	d.Fields = append([]Field(nil), d.Fields...)
	for i := range d.Fields {
		field := &d.Fields[i]
		_, _, _, fieldEnd, ok := field.layout()
		if !ok || field.Name == "" {
			return refuse("field %q: name, dtype, shape and offset are needed, and an end within %d bytes", field.Name, fieldsBytesMax)
		}
		if field.Shape == nil {
			field.Shape = []int{}
		}
		if fieldEnd > end {
			end = fieldEnd
		}
	}
	p.fieldsCapacity = roundUp(end, 8)
	if p.payloadCapacity == 0 {
		p.payloadCapacity = p.frameBytes
		if p.frameBytes == 0 {
			p.payloadCapacity = 1
		}
	}
	if p.payloadCapacity < 1 || p.payloadCapacity > payloadCapacityMax {
		return refuse("payload capacity %d, allowed are 1 byte to 1 TiB", p.payloadCapacity)
	}
	unit := alignment
	if p.payloadCapacity >= pageBytes {
		unit = pageBytes
	}
	p.payloadOffset = roundUp(slotHeaderBytes+p.fieldsCapacity, unit)
	p.slotStride = roundUp(p.payloadOffset+p.payloadCapacity, unit)
	p.descriptor = d
	return p, nil
}

func kinds() []string {
	names := make([]string, 0, len(slotsOfKind))
	for name := range slotsOfKind {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (p *plan) completeMessage(d *Descriptor) {
	if p.payloadCapacity == 0 {
		p.payloadCapacity = messageBytes
	}
	d.Dtype, d.Shape, d.Dims = Typestr("|u1"), []int{p.payloadCapacity}, []string{"byte"}
	if d.Encoding == "" {
		d.Encoding = "json"
	}
	if d.Fields == nil {
		d.Fields = referenceFields
	}
}

// spread widens frameBytes to what strides spread a frame over.
func (p *plan) spread(d *Descriptor, items int) bool {
	if d.Strides == nil || items == 0 {
		return true
	}
	if len(d.Strides) != len(d.Shape) {
		return false
	}
	end := p.itemBytes
	for i, step := range d.Strides {
		if step < 0 || step > payloadCapacityMax/d.Shape[i] {
			return false
		}
		end += (d.Shape[i] - 1) * step
	}
	if end > p.frameBytes {
		p.frameBytes = end
	}
	return end <= payloadCapacityMax
}

// LayOut puts fields one after the other, each at a multiple of 8: a descriptor's Fields.
func LayOut(fields ...Field) []Field {
	end := 0
	for i := range fields {
		fields[i].Offset = roundUp(end, 8)
		_, _, _, end, _ = fields[i].layout()
	}
	return fields
}
