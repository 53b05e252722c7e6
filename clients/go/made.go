package streamem

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// made is a generation as its writer has it: the file, locked, and a writable mapping.
type made struct {
	plan        *plan
	descriptor  *Descriptor // as readers see it
	fd          int
	memory      []byte
	generation  string
	slotsOffset int
	sequence    uint64 // newest published: the writer's own count, never read back
}

// make allocates and fills a generation under a temporary name, locked before anybody else may open it.
func (w *Writer) make(p *plan, temporary string) (*made, error) {
	var generation [16]byte
	if _, err := rand.Read(generation[:]); err != nil {
		return nil, fail(err, "stream %s: no random numbers: %v", w.name, err)
	}
	m := &made{plan: p, fd: -1, generation: hex.EncodeToString(generation[:])}
	d := p.descriptor
	d.Shm = &SharedShape{"/" + w.prefix + "." + w.name, ringPath(w.prefix, w.name), m.generation, p.slotCount, p.slotStride, p.payloadCapacity}
	text, err := d.text()
	if err != nil {
		return nil, fail(ErrArgument, "stream %s: its descriptor cannot be written as JSON: %v", w.name, err)
	}
	if len(text) > descriptorBytesMax {
		return nil, fail(ErrTooLarge, "stream %s: its descriptor has %d bytes, %d are allowed: big tables belong elsewhere", w.name, len(text), descriptorBytesMax)
	}
	d.Raw = text
	m.descriptor = &d
	m.slotsOffset = roundUp(headerBytes+len(text), pageBytes)
	total := m.slotsOffset + p.slotCount*p.slotStride
	if err := m.allocate(temporary, total, w.name); err != nil {
		m.letGo()
		return nil, err
	}
	m.fill(generation, text)
	return m, nil
}

func (m *made) allocate(temporary string, total int, name string) error {
	free := room()
	tooLittle := func() error {
		return fail(ErrNoRoom, "stream %s needs %d bytes of shared memory (%d slots), %d are available in /dev/shm and under the memory limit: lower slots, or enlarge them (docker: --shm-size, --memory)",
			name, total, m.plan.slotCount, free)
	}
	if uint64(total) > free {
		return tooLittle()
	}
	var err error
	if m.fd, err = unix.Open(temporary, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600); err != nil {
		return fail(err, "%s: cannot be made: %v", temporary, err)
	}
	if err := lockFile(m.fd); err != nil {
		return fail(err, "%s: cannot be locked: %v", temporary, err)
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Fallocate(m.fd, 0, 0, int64(total)) // a full /dev/shm says so here, not by SIGBUS later
	}
	if err == nil {
		m.memory, err = unix.Mmap(m.fd, 0, total, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err == unix.ENOSPC || err == unix.ENOMEM {
		return tooLittle()
	}
	if err != nil {
		return fail(err, "stream %s: %s cannot be allocated: %v", name, temporary, err)
	}
	_ = unix.Madvise(m.memory, unix.MADV_DONTFORK)               // a mapping keeps the lock as its descriptor does: a child must not have it
	if unix.Madvise(m.memory, unix.MADV_POPULATE_WRITE) != nil { // before Linux 5.14: by hand, so that the first frames cost no page faults
		for at := 0; at < total; at += pageBytes {
			m.memory[at] = 0
		}
	}
	return nil
}

func (m *made) header() *segmentHeader { return (*segmentHeader)(unsafe.Pointer(&m.memory[0])) }

func (m *made) slotAt(seq uint64) int {
	return m.slotsOffset + int(seq%uint64(m.plan.slotCount))*m.plan.slotStride
}

func (m *made) fill(generation [16]byte, text []byte) {
	p, h := m.plan, m.header()
	h.major, h.minor = layoutMajor, layoutMinor
	h.headerBytes, h.slotHeaderBytes = uint32(headerBytes), uint32(slotHeaderBytes)
	h.totalBytes = uint64(len(m.memory))
	h.generation = generation
	h.slotsOffset, h.slotStride, h.payloadCapacity = uint64(m.slotsOffset), uint64(p.slotStride), uint64(p.payloadCapacity)
	h.slotCount = uint32(p.slotCount)
	h.fieldsOffset, h.fieldsCapacity = uint32(slotHeaderBytes), uint32(p.fieldsCapacity)
	h.payloadOffset = uint32(p.payloadOffset)
	h.descriptorOffset, h.descriptorBytes = uint32(headerBytes), uint32(len(text))
	h.wakeMode = wakeFutex
	h.writerPid = uint32(os.Getpid())
	h.writerStartUTCNs = utcNs()
	copy(m.memory[headerBytes:], text)
	fenceRelease()
	copy(h.magic[:], magic) // last: without it the rest counts for nothing
}

func (m *made) letGo() {
	if m.memory != nil {
		_ = unix.Munmap(m.memory)
	}
	if m.fd >= 0 {
		unix.Close(m.fd)
	}
	m.memory, m.fd = nil, -1
}

// begin makes a generation and puts it under the name. Under the lock, in this order: sweep, allocate, fill, retire the old
// ring, rename. Killed before the rename it leaves a retired ring, whose readers keep looking.
func (w *Writer) begin(p *plan) error {
	sweep(w.prefix, w.name)
	path, random := ringPath(w.prefix, w.name), make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return fail(err, "stream %s: no random numbers: %v", w.name, err)
	}
	temporary := shmFolder + "/." + w.prefix + "." + w.name + "." + hex.EncodeToString(random)
	m, err := w.makeRoomAndMake(p, temporary)
	if err == nil {
		if err = w.share(m.fd); err == nil {
			if _, err = retireOld(path); err == nil {
				err = unix.Rename(temporary, path)
			}
		}
		if err != nil {
			m.letGo()
		}
	}
	if err != nil {
		_ = unix.Unlink(temporary)
		return err
	}
	if w.made != nil {
		retireFile(w.made.fd) // by its own descriptor too: its name may have been gone
		w.made.letGo()
	}
	w.made, w.gaveWay, w.writing, w.lookAt = m, nil, 0, time.Now().Add(time.Second)
	return nil
}

// makeRoomAndMake: where two rings do not fit side by side the old one goes first, and its readers have two seconds to let go.
func (w *Writer) makeRoomAndMake(p *plan, temporary string) (*made, error) {
	m, err := w.make(p, temporary)
	for end := time.Now().Add(2 * time.Second); isNoRoom(err) && time.Now().Before(end); {
		_ = unix.Unlink(temporary)
		found, retireErr := retireOld(ringPath(w.prefix, w.name))
		if retireErr != nil || !found && w.made == nil && w.gaveWay == nil {
			return nil, err // there is nothing whose room could come free
		}
		_ = unix.Unlink(ringPath(w.prefix, w.name))
		if w.made != nil {
			w.gaveWay = w.made.plan
			w.made.letGo()
			w.made = nil
		} else if w.gaveWay == nil {
			w.gaveWay = p // a dead writer's ring was there
		}
		time.Sleep(20 * time.Millisecond)
		m, err = w.make(p, temporary)
	}
	return m, err
}

// share lets the group read; never anybody else: the cameras are on people's heads.
func (w *Writer) share(fd int) error {
	if w.group < 0 {
		return nil
	}
	err := unix.Fchown(fd, -1, w.group)
	if err == nil {
		err = unix.Fchmod(fd, 0o640)
	}
	if err != nil {
		return fail(err, "stream %s cannot be given to group %d: %v", w.name, w.group, err)
	}
	return nil
}
