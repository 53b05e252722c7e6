package streamem

import "unsafe"

// The bytes of layout 1.0. native/layout.json says the same for machines; Offsets is held against it.

const (
	magic              = "STREAMEM"
	layoutMajor        = 1
	layoutMinor        = 0
	flagRetired        = 1
	wakeFutex          = 1
	slotsMin           = 4
	slotsMax           = 65536
	descriptorBytesMax = 65536
	fieldsBytesMax     = 65536
	dimensionsMax      = 8
	pageBytes          = 4096
	alignment          = 64
	retriesMax         = 8

	headerBytes     = int(unsafe.Sizeof(segmentHeader{}))
	slotHeaderBytes = int(unsafe.Sizeof(slotHeader{}))
)

// unknown stands in a slot for a time that nobody knows.
const unknown = ^uint64(0)

type segmentHeader struct {
	magic            [8]byte
	major            uint16
	minor            uint16
	headerBytes      uint32
	totalBytes       uint64
	generation       [16]byte
	slotsOffset      uint64
	slotStride       uint64
	payloadCapacity  uint64
	slotCount        uint32
	slotHeaderBytes  uint32
	fieldsOffset     uint32
	fieldsCapacity   uint32
	payloadOffset    uint32
	descriptorOffset uint32
	descriptorBytes  uint32
	wakeMode         uint32
	writerPid        uint32
	reserved100      uint32
	writerStartUTCNs uint64
	reserved112      [16]byte
	latest           uint64 // this and the next two have a cache line of their own: all that changes in the header
	wake             uint32
	flags            uint32
	reserved144      [112]byte
}

type slotHeader struct {
	begin         uint64
	end           uint64
	deviceTime    uint64
	captureTimeNs uint64
	timeErrorNs   uint64
	publishTimeNs uint64
	publishUTCNs  uint64
	payloadBytes  uint64
	clockEpoch    uint32
	fieldsBytes   uint32
	dimensions    uint32
	reserved76    uint32
	shape         [8]uint32
	reserved112   [16]byte
}

// A wrong size does not compile: an array of a negative length, or a constant that does not fit.
var (
	_ [256 - headerBytes]struct{}
	_ [headerBytes - 256]struct{}
	_ [128 - slotHeaderBytes]struct{}
	_ [slotHeaderBytes - 128]struct{}
)

// Offsets are where the compiler puts the members of a ring's two headers, in bytes, by the names of layout.json.
func Offsets() (segment, slot map[string]uintptr) {
	var h segmentHeader
	var s slotHeader
	segment = map[string]uintptr{
		"magic": unsafe.Offsetof(h.magic), "major": unsafe.Offsetof(h.major), "minor": unsafe.Offsetof(h.minor),
		"header_bytes": unsafe.Offsetof(h.headerBytes), "total_bytes": unsafe.Offsetof(h.totalBytes),
		"generation": unsafe.Offsetof(h.generation), "slots_offset": unsafe.Offsetof(h.slotsOffset),
		"slot_stride": unsafe.Offsetof(h.slotStride), "payload_capacity": unsafe.Offsetof(h.payloadCapacity),
		"slot_count": unsafe.Offsetof(h.slotCount), "slot_header_bytes": unsafe.Offsetof(h.slotHeaderBytes),
		"fields_offset": unsafe.Offsetof(h.fieldsOffset), "fields_capacity": unsafe.Offsetof(h.fieldsCapacity),
		"payload_offset": unsafe.Offsetof(h.payloadOffset), "descriptor_offset": unsafe.Offsetof(h.descriptorOffset),
		"descriptor_bytes": unsafe.Offsetof(h.descriptorBytes), "wake_mode": unsafe.Offsetof(h.wakeMode),
		"writer_pid": unsafe.Offsetof(h.writerPid), "reserved_100": unsafe.Offsetof(h.reserved100),
		"writer_start_utc_ns": unsafe.Offsetof(h.writerStartUTCNs), "reserved_112": unsafe.Offsetof(h.reserved112),
		"latest": unsafe.Offsetof(h.latest), "wake": unsafe.Offsetof(h.wake), "flags": unsafe.Offsetof(h.flags),
		"reserved_144": unsafe.Offsetof(h.reserved144),
	}
	slot = map[string]uintptr{
		"begin": unsafe.Offsetof(s.begin), "end": unsafe.Offsetof(s.end), "device_time": unsafe.Offsetof(s.deviceTime),
		"capture_time_ns": unsafe.Offsetof(s.captureTimeNs), "time_error_ns": unsafe.Offsetof(s.timeErrorNs),
		"publish_time_ns": unsafe.Offsetof(s.publishTimeNs), "publish_utc_ns": unsafe.Offsetof(s.publishUTCNs),
		"payload_bytes": unsafe.Offsetof(s.payloadBytes), "clock_epoch": unsafe.Offsetof(s.clockEpoch),
		"fields_bytes": unsafe.Offsetof(s.fieldsBytes), "dimensions": unsafe.Offsetof(s.dimensions),
		"reserved_76": unsafe.Offsetof(s.reserved76), "shape": unsafe.Offsetof(s.shape),
		"reserved_112": unsafe.Offsetof(s.reserved112),
	}
	return segment, slot
}
