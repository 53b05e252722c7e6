package streamem

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// One writer per name: locks, taking over, what others left, and the end. To see these fail, take out, each on its own: in
// takeLock `lockFile(fd) == nil &&` or `&& !ringHeld(…)`; in allocate lockFile; in begin `sweep(…)` or
// `retireOld(path)`; in usable the comparison of the pid.

func init() {
	roles["writer"] = func(arguments []string) { // publishes one frame, says so, and lives on
		w, err := Create(arguments[0], bytesDescriptor(8), CreateOptions{})
		if err == nil {
			_, err = w.Publish(make([]byte, 8), Meta{})
		}
		if err != nil {
			println("error", err.Error())
			os.Exit(1)
		}
		os.Stdout.WriteString(w.Generation() + "\n")
		select {}
	}
}

func TestTheSecondWriterIsRefused(t *testing.T) {
	prefix := rings(t)
	first := start(t, "writer", "s")
	first.line(t)
	_, err := Create("s", bytesDescriptor(8), CreateOptions{})
	isKind(t, err, ErrBusy, "has another writer already (process ")
	must(t, os.Remove(lockPath(prefix, "s"))) // the ring's own lock still says it
	_, err = Create("s", bytesDescriptor(8), CreateOptions{})
	isKind(t, err, ErrBusy, "another writer")
	mine := create(t, "mine", bytesDescriptor(8), CreateOptions{})
	_, err = Create("mine", bytesDescriptor(8), CreateOptions{})
	isKind(t, err, ErrBusy, "another writer")
	must(t, mine.Close())
}

func TestTheLockFileAloneKeepsOthersOut(t *testing.T) {
	prefix := rings(t)
	fd, err := takeLock(prefix, "s")
	must(t, err)
	_, err = Create("s", bytesDescriptor(8), CreateOptions{})
	isKind(t, err, ErrBusy, "another writer")
	must(t, unix.Close(fd))
	create(t, "s", bytesDescriptor(8), CreateOptions{})
}

func TestAKilledWriterIsSeenAndTakenOver(t *testing.T) {
	prefix := rings(t)
	for round := 0; round < 3; round++ {
		killed := start(t, "writer", "s")
		killed.line(t)
		r := open(t, "s")
		equal(t, []any{r.State(), r.Next(patience).Seq}, []any{Live, uint64(1)})
		killed.kill(t)
		equal(t, r.State(), Dead)
		equal(t, r.Latest().Seq, uint64(1)) // what is in the ring stays readable
		w := create(t, "s", bytesDescriptor(8), CreateOptions{})
		publish(t, w, make([]byte, 8), Meta{})
		frame := r.Next(patience)
		equal(t, []any{frame.Generation(), frame.Seq, r.State()}, []any{w.Generation(), uint64(1), Live})
		must(t, w.Close())
		equal(t, []any{r.State(), len(entries(prefix))}, []any{Retired, 0})
	}
}

func TestModesAndLeftovers(t *testing.T) {
	prefix := rings(t)
	stale, other := lockPath(prefix, "s"), lockPath(prefix, "s")
	stale, other = stale[:len(stale)-4]+"0123456789abcdef", other[:len(other)-4]+"0123456789abcde"
	must(t, os.WriteFile(stale, nil, 0o600))
	must(t, os.WriteFile(other, nil, 0o600))
	w := create(t, "s", bytesDescriptor(5000), CreateOptions{Group: "0"})
	for path, mode := range map[string]fs.FileMode{ringPath(prefix, "s"): 0o640, lockPath(prefix, "s"): 0o600} {
		status, err := os.Stat(path)
		must(t, err)
		equal(t, status.Mode().Perm(), mode)
	}
	_, err := os.Stat(stale)
	isKind(t, err, fs.ErrNotExist, "")
	_, err = os.Stat(other)
	must(t, err)
	equal(t, []any{w.made.plan.payloadOffset % pageBytes, w.made.plan.slotStride % pageBytes}, []any{0, 0})
	_, err = Create("t", bytesDescriptor(8), CreateOptions{Group: "no such group"})
	isKind(t, err, ErrArgument, "no such group")
}

func TestWhatIsInTheWay(t *testing.T) {
	prefix := rings(t)
	path := ringPath(prefix, "s")
	for _, make := range []func() error{
		func() error { return os.Mkdir(path, 0o700) },
		func() error { return unix.Mkfifo(path, 0o600) },
		func() error { return os.Symlink("/etc/passwd", path) },
	} {
		must(t, make())
		_, err := Create("s", bytesDescriptor(8), CreateOptions{})
		isKind(t, err, err, "in the way")
		must(t, os.Remove(path))
		equal(t, len(entries(prefix)), 0)
	}
	must(t, os.WriteFile(path, nil, 0o600)) // ours, and no ring: replaced
	publish(t, create(t, "s", bytesDescriptor(8), CreateOptions{}), make([]byte, 8), Meta{})
	if os.Geteuid() != 0 {
		t.Skip("only root can make a file of another user")
	}
	for _, path := range []string{ringPath(prefix, "x"), lockPath(prefix, "y")} {
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Chown(path, 65534, 65534))
		_, err := Create(filepath.Ext(map[bool]string{true: ".y", false: ".x"}[filepath.Ext(path) == ".lock"])[1:], bytesDescriptor(8), CreateOptions{})
		isKind(t, err, fs.ErrPermission, "in the way")
	}
}

func TestALostNameComesBack(t *testing.T) {
	prefix := rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	before := w.Generation()
	must(t, os.Remove(ringPath(prefix, "s")))
	until(t, "a new generation", func() bool { return publish(t, w, make([]byte, 8), Meta{}) > 0 && w.Generation() != before })
	until(t, "the reader to follow", func() bool { return r.Latest().Generation() == w.Generation() })

	for _, path := range entries(prefix) { // the lock too, and another writer is there first
		must(t, os.Remove(path))
	}
	other := start(t, "writer", "s")
	other.line(t)
	until(t, "the loss to be seen", func() bool { _, err := w.Publish(make([]byte, 8), Meta{}); return err != nil })
	_, err := w.Publish(make([]byte, 8), Meta{})
	isKind(t, err, ErrClosed, "taken by another writer")
	must(t, w.Close())
	equal(t, len(entries(prefix)), 2) // they are the other one's
}

func TestWhatDoesNotFitBeginsAGeneration(t *testing.T) {
	rings(t)
	w := create(t, "s", Descriptor{Kind: "tensor", Dtype: Typestr("<u2"), Shape: []int{2, 2}}, CreateOptions{Slots: 5})
	r := open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, publish(t, w, make([]byte, 24), Meta{Shape: []int{3, 4}}), uint64(1))
	frame := r.Newest(patience)
	equal(t, []any{frame.Shape, frame.OwnShape(), r.Descriptor().Shape, r.Descriptor().Shm.SlotCount}, []any{[]int{3, 4}, false, []int{3, 4}, 5})
	publish(t, w, make([]byte, 8), Meta{Shape: []int{4, 1}})
	frame = r.Newest(patience)
	equal(t, []any{frame.Shape, frame.OwnShape(), frame.Len()}, []any{[]int{4, 1}, true, 8})
	for _, wrong := range []Meta{{}, {Shape: []int{3}}, {Shape: []int{-1}}} {
		_, err := w.Publish(make([]byte, 8), wrong)
		isKind(t, err, ErrArgument, "8 bytes are no frame of shape")
	}
	must(t, w.Renew(Descriptor{Kind: "audio", Dtype: Typestr("<f4"), Shape: []int{1, 2}}, CreateOptions{}))
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, r.Next(patience).Descriptor().Kind, "audio")
}

func TestTooLittleMemory(t *testing.T) {
	prefix := rings(t)
	_, err := Create("s", Descriptor{Kind: "tensor", Dtype: Typestr("|u1"), Shape: []int{1 << 20, 1 << 18}}, CreateOptions{})
	isKind(t, err, ErrNoRoom, "bytes of shared memory (8 slots)")
	equal(t, len(entries(prefix)), 0)

	folder := t.TempDir() // a cgroup's own files, as version 2 and version 1 have them
	write := func(name, text string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("own", "0::/a/b\n4:memory:/c\n1:cpu:/d\n")
	write("a/memory.max", "1000000\n")
	write("a/memory.current", "400000\n")
	write("a/memory.stat", "anon 5\ninactive_file 1000\n")
	write("a/b/memory.max", "max\n")
	write("memory/c/memory.limit_in_bytes", "500\n")
	write("memory/c/memory.usage_in_bytes", "600\n")
	equal(t, cgroupRooms(filepath.Join(folder, "own"), folder), []uint64{601000, 0})
}

// A forked child has no Go runtime worth the name, so it does two things only: it publishes, which must be an error, and ends.
func TestAForkedChildCannotPublish(t *testing.T) {
	rings(t)
	w := create(t, "s", bytesDescriptor(8), CreateOptions{})
	publish(t, w, make([]byte, 8), Meta{})
	data := make([]byte, 8)
	pid, _, failed := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
	if failed != 0 {
		t.Fatal(failed)
	}
	if pid == 0 {
		code := uintptr(1)
		if _, err := w.Publish(data, Meta{}); err != nil && err.(*worded).kind == ErrForked && w.lockFd == -1 {
			code = 0
		}
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, code, 0, 0)
	}
	var status syscall.WaitStatus
	until(t, "the child to end", func() bool {
		ended, _ := syscall.Wait4(int(pid), &status, syscall.WNOHANG, nil)
		return ended == int(pid)
	})
	equal(t, status.ExitStatus(), 0)
	equal(t, publish(t, w, data, Meta{}), uint64(2))
}

func TestDescriptorsRefused(t *testing.T) {
	prefix := rings(t)
	good := bytesDescriptor(4)
	for words, change := range map[string]func(*Descriptor, *CreateOptions){
		"kind":             func(d *Descriptor, _ *CreateOptions) { d.Kind = "film" },
		"dtype":            func(d *Descriptor, _ *CreateOptions) { d.Dtype = Typestr("uint8") },
		"shape":            func(d *Descriptor, _ *CreateOptions) { d.Shape = []int{-1} },
		"at most 8 sizes":  func(d *Descriptor, _ *CreateOptions) { d.Shape = make([]int, 9) },
		"field":            func(d *Descriptor, _ *CreateOptions) { d.Fields = []Field{{Name: "x", Dtype: "<f4", Offset: 70000}} },
		"strides":          func(d *Descriptor, _ *CreateOptions) { d.Strides = []int{1, 2} },
		"encoding":         func(d *Descriptor, _ *CreateOptions) { d.Encoding = "xml" },
		"slots is 3":       func(_ *Descriptor, o *CreateOptions) { o.Slots = 3 },
		"payload capacity": func(_ *Descriptor, o *CreateOptions) { o.PayloadCapacity = -1 },
	} {
		d, options := good, CreateOptions{}
		change(&d, &options)
		_, err := Create("s", d, options)
		isKind(t, err, ErrArgument, words)
	}
	d := good
	d.Units = string(make([]byte, 70000))
	_, err := Create("s", d, CreateOptions{})
	isKind(t, err, ErrTooLarge, "65536")
	equal(t, len(entries(prefix)), 0)
}
