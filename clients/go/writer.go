package streamem

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Writer is the one writer of a stream. Close it, by defer and on the signals that end the program: readers then learn that
// it has ended; of one that just ends they learn that it is dead. Several goroutines may publish; Acquire, Commit and Abort
// belong to one. A forked child (which plain Go has not: os/exec is safe) cannot write.
type Writer struct {
	mutex   sync.Mutex
	prefix  string
	name    string
	group   int // -1: none
	options CreateOptions
	pid     int
	lockFd  int
	made    *made
	gaveWay *plan     // of a ring that had to make room for a successor that then did not fit
	writing uint64    // the sequence acquired and not committed, else 0
	lookAt  time.Time // when to ask next whether the ring still has its name
	closed  bool
}

// Create makes the ring of a stream and becomes its one writer, taking over from a dead one. The descriptor needs Kind, Dtype
// and Shape; of messages Kind alone, Encoding being json.
//
// Errors: ErrBusy another writer lives, ErrNoRoom (with the bytes needed and those there are), ErrArgument, ErrTooLarge, and
// fs.ErrPermission where a file of somebody else is in the way.
func Create(name string, descriptor Descriptor, options CreateOptions) (*Writer, error) {
	prefix, err := checkedPrefix(options.Prefix)
	if err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	group, err := groupNumber(options.Group)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(name, descriptor, options)
	if err != nil {
		return nil, err
	}
	w := &Writer{prefix: prefix, name: name, group: group, options: options, pid: os.Getpid()}
	if w.lockFd, err = takeLock(prefix, name); err != nil {
		return nil, err
	}
	if err := w.begin(p); err != nil {
		w.letLockGo()
		return nil, err
	}
	return w, nil
}

func groupNumber(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if number, err := strconv.Atoi(group); err == nil && number >= 0 {
		return number, nil
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		return -1, fail(ErrArgument, "there is no group %q: %v", group, err)
	}
	return strconv.Atoi(found.Gid)
}

// Renew begins a new generation of the stream: another shape, dtype or size. Readers follow by themselves; sequences start
// again at 1. A descriptor without Kind stays as it was, and so do Slots of 0. After an error the writer goes on with the
// generation it had, unless that had to make room: the next Publish or Renew then tries again.
func (w *Writer) Renew(descriptor Descriptor, options CreateOptions) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	old, err := w.oldPlan()
	if err != nil {
		return err
	}
	if options.Slots == 0 {
		options.Slots = old.slotCount
	}
	if descriptor.Kind == "" {
		descriptor = old.descriptor
		if options.PayloadCapacity == 0 {
			options.PayloadCapacity = old.payloadCapacity
		}
	}
	p, err := newPlan(w.name, descriptor, options)
	if err != nil {
		return err
	}
	return w.begin(p)
}

// Descriptor is the description as readers see it; nil where there is no ring at the moment.
func (w *Writer) Descriptor() *Descriptor {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.made == nil {
		return nil
	}
	return w.made.descriptor
}

// Generation is the id of the ring being written, 32 hexadecimal digits.
func (w *Writer) Generation() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.made == nil {
		return ""
	}
	return w.made.generation
}

// Seq is the sequence published last, 0 before the first.
func (w *Writer) Seq() uint64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.made == nil {
		return 0
	}
	return w.made.sequence
}

// Close ends the stream: readers are told, the ring and its lock are removed. In a forked child it only lets go.
func (w *Writer) Close() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.closed {
		return nil
	}
	if w.usable() != nil {
		w.closed = true
		return nil
	}
	w.closed = true
	if w.made != nil {
		retireFile(w.made.fd)
		if path := ringPath(w.prefix, w.name); isAt(w.made.fd, path) {
			_ = unix.Unlink(path)
		}
		w.made.letGo()
		w.made = nil
	}
	w.letLockGo() // after the ring, or the next writer's could be the one unlinked
	return nil
}

func (w *Writer) letLockGo() {
	if path := lockPath(w.prefix, w.name); w.lockFd >= 0 && isAt(w.lockFd, path) {
		_ = unix.Unlink(path)
	}
	unix.Close(w.lockFd)
	w.lockFd = -1
}

// usable says why nothing can be published. In a forked child it first closes what holds the locks, or a dead parent would
// look alive for as long as the child runs; the mapping is not there (MADV_DONTFORK).
func (w *Writer) usable() error {
	if w.closed {
		return fail(ErrClosed, "the writer of stream %s is closed", w.name)
	}
	if w.pid == os.Getpid() {
		return nil
	}
	if w.lockFd >= 0 {
		unix.Close(w.lockFd)
		if w.made != nil {
			unix.Close(w.made.fd)
		}
		w.lockFd, w.made = -1, nil
	}
	return fail(ErrForked, "stream %s belongs to process %d: a forked child cannot write it; create it in the child", w.name, w.pid)
}

func (w *Writer) oldPlan() (*plan, error) {
	switch err := w.usable(); {
	case err != nil:
		return nil, err
	case w.made != nil:
		return w.made.plan, nil
	case w.gaveWay != nil:
		return w.gaveWay, nil
	}
	return nil, fail(ErrClosed, "stream %s has been taken by another writer", w.name)
}

// lookAfterTheName begins a new generation where somebody has removed the ring's name, unless another writer has the stream.
func (w *Writer) lookAfterTheName() error {
	if now := time.Now(); now.Before(w.lookAt) || w.made == nil {
		return nil
	}
	w.lookAt = time.Now().Add(time.Second)
	var status unix.Stat_t
	if unix.Fstat(w.made.fd, &status) == nil && status.Nlink > 0 {
		return nil
	}
	if !isAt(w.lockFd, lockPath(w.prefix, w.name)) { // whoever made a new lock file has the stream
		old := w.made
		retireFile(old.fd)
		w.letLockGo()
		w.made = nil
		old.letGo() // its lock would look like a second writer's
		var err error
		if w.lockFd, err = takeLock(w.prefix, w.name); err != nil {
			return err
		}
		return w.begin(old.plan)
	}
	return w.begin(w.made.plan)
}

func isNoRoom(err error) bool { return errors.Is(err, ErrNoRoom) }
