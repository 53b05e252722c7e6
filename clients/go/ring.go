package streamem

import (
	"encoding/hex"
	"errors"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is one generation, mapped read-only once and never remapped. Its numbers are copies: the writer could change the file
// after they were checked. Frames refer to it, so it stays mapped for as long as one of them can be reached.
type ring struct {
	fd              int
	memory          []byte // total_bytes, no more than that
	where           string
	generation      string
	slotsOffset     uint64
	slotStride      uint64
	payloadCapacity uint64
	slotCount       uint64
	fieldsOffset    uint64
	fieldsCapacity  uint64
	payloadOffset   uint64
	startUTCNs      uint64
	polled          bool // its writer wakes nobody
	descriptor      *Descriptor
	itemBytes       int // of the descriptor's dtype; 1 where it is unknown
}

// openRing takes fd, which is closed where it is no sound ring.
func openRing(fd int, where string) (*ring, error) {
	r, err := mapRing(fd, where)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	runtime.SetFinalizer(r, (*ring).unmap)
	return r, nil
}

func mapRing(fd int, where string) (*ring, error) {
	var status unix.Stat_t
	if err := unix.Fstat(fd, &status); err != nil {
		return nil, fail(err, "%s: fstat failed: %v", where, err)
	}
	if status.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fail(ErrNotRing, "%s is not a file", where)
	}
	var h segmentHeader
	raw := (*[unsafe.Sizeof(h)]byte)(unsafe.Pointer(&h))
	if err := readAt(fd, raw[:], 0); errors.Is(err, ErrTruncated) {
		return nil, fail(ErrTruncated, "%s is truncated: %d bytes, a ring's header has %d", where, status.Size, headerBytes)
	} else if err != nil {
		return nil, fail(err, "%s cannot be read: %v", where, err)
	}
	if err := checkHeader(&h, uint64(status.Size), where); err != nil {
		return nil, err
	}
	text := make([]byte, h.descriptorBytes)
	if err := readAt(fd, text, int64(h.descriptorOffset)); err != nil {
		return nil, fail(err, "%s: its descriptor cannot be read: %v", where, err)
	}
	descriptor, err := parseDescriptor(text, where)
	if err != nil {
		return nil, err
	}
	itemBytes := descriptor.Dtype.ItemBytes()
	if itemBytes == 0 {
		itemBytes = 1
	}
	memory, err := unix.Mmap(fd, 0, int(h.totalBytes), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fail(err, "%s: its %d bytes cannot be mapped: %v", where, h.totalBytes, err)
	}
	if uint64(status.Blocks)*512 >= h.totalBytes { // not a hole that reading would fill with our memory
		_ = unix.Madvise(memory, unix.MADV_POPULATE_READ) // the first frames then cost what later ones do; before Linux 5.14 they do not
	}
	return &ring{
		fd: fd, memory: memory, where: where, generation: hex.EncodeToString(h.generation[:]),
		slotsOffset: h.slotsOffset, slotStride: h.slotStride, payloadCapacity: h.payloadCapacity,
		slotCount: uint64(h.slotCount), fieldsOffset: uint64(h.fieldsOffset), fieldsCapacity: uint64(h.fieldsCapacity),
		payloadOffset: uint64(h.payloadOffset), startUTCNs: h.writerStartUTCNs, polled: h.wakeMode != wakeFutex,
		descriptor: descriptor, itemBytes: itemBytes,
	}, nil
}

// unmap runs when neither the reader nor a frame refers to the ring any more.
func (r *ring) unmap() {
	r.closeFile()
	_ = unix.Munmap(r.memory)
}

func (r *ring) closeFile() {
	if r.fd >= 0 {
		unix.Close(r.fd)
		r.fd = -1
	}
}

func (r *ring) header() *segmentHeader { return (*segmentHeader)(unsafe.Pointer(&r.memory[0])) }

func (r *ring) slot(seq uint64) *slotHeader {
	return (*slotHeader)(unsafe.Pointer(&r.memory[r.slotsOffset+seq%r.slotCount*r.slotStride]))
}

func (r *ring) latest() uint64 { return atomic.LoadUint64(&r.header().latest) }

func (r *ring) wake() uint32 { return atomic.LoadUint32(&r.header().wake) }

func (r *ring) retired() bool { return atomic.LoadUint32(&r.header().flags)&flagRetired != 0 }

func (r *ring) unlinked() bool {
	var status unix.Stat_t
	return unix.Fstat(r.fd, &status) == nil && status.Nlink == 0
}

// window is how many of the newest frames can be read: the writer may be in the oldest slot at any time.
func (r *ring) window() uint64 { return r.slotCount - 1 }

// oldest is the first of the newest n sequences, at least 1.
func (r *ring) oldest(newest, n uint64) uint64 {
	if newest > n {
		return newest - n + 1
	}
	return 1
}

// read gives frame seq, checked, or nil where it is not, or no longer, whole in its slot. Steps 7 and 8 of LAYOUT.md.
func (r *ring) read(seq uint64) *Frame {
	slot := r.slot(seq)
	if seq == 0 || atomic.LoadUint64(&slot.end) != seq { // (C')
		return nil
	}
	head := *slot
	fenceAcquire() // (F')
	if atomic.LoadUint64(&slot.begin) != seq {
		return nil
	}
	if head.payloadBytes > r.payloadCapacity || uint64(head.fieldsBytes) > r.fieldsCapacity || head.dimensions > dimensionsMax {
		return nil
	}
	shape := r.descriptor.Shape
	if head.dimensions > 0 {
		shape = make([]int, head.dimensions)
		for i := range shape {
			shape[i] = int(head.shape[i])
		}
		if _, fits := product(shape, int(head.payloadBytes)/r.itemBytes); !fits {
			return nil
		}
	}
	return newFrame(r, seq, slot, &head, shape)
}

// readNewest gives the newest frame; nil where there is none yet, or the writer overtook every attempt (lapped).
func (r *ring) readNewest() *Frame {
	for attempt := 0; attempt < retriesMax; attempt++ {
		newest := r.latest() // (D')
		if newest == 0 {
			return nil
		}
		if frame := r.read(newest); frame != nil {
			return frame
		}
	}
	return nil
}
