package streamem

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A frame that is published between a reader's look at latest and its look at the end of the generation is not lost. To see it
// fail, take out `newest != *drained` in follow.
func TestAFrameBetweenTheLookAndTheEnd(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	seen := r.Next(0).Seq
	publish(t, w, make([]byte, 8), Meta{})
	must(t, w.Renew(Descriptor{}, CreateOptions{}))
	equal(t, []any{r.follow(&seen), r.Next(0).Seq}, []any{true, uint64(2)})
}

// What an ended generation still holds comes first, then its successor's frames, and the count of what was missed is right.
func TestNextAcrossGenerations(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{Slots: 8}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, r.Next(0).Seq, uint64(1))
	old := r.Latest()
	for n := 0; n < 3; n++ {
		publish(t, w, make([]byte, 8), Meta{})
	}
	must(t, w.Renew(Descriptor{}, CreateOptions{}))
	publish(t, w, make([]byte, 8), Meta{})
	var got []uint64
	for n := 0; n < 4; n++ {
		got = append(got, r.Next(patience).Seq)
	}
	equal(t, got, []uint64{2, 3, 4, 1})
	equal(t, []any{r.Missed(), r.Generation(), old.Valid()}, []any{uint64(0), w.Generation(), true})
	for n := 0; n < 5; n++ {
		publish(t, w, make([]byte, 8), Meta{})
	}
	must(t, w.Close())
	w = create(t, "s", bytesDescriptor(8), CreateOptions{})
	publish(t, w, make([]byte, 8), Meta{})
	frame := r.Newest(patience)
	for frame.Generation() != w.Generation() {
		frame = r.Newest(patience)
	}
	equal(t, r.Missed() >= 4, true) // five of the generation before, of which Newest may have given the last
}

func TestEveryFrameOfAHundredGenerations(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	count := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		maps, err := os.ReadFile("/proc/self/maps")
		must(t, err)
		return len(files) + strings.Count(string(maps), "/dev/shm/")
	}
	r.Next(0)
	before := count()
	for round := 0; round < 100; round++ {
		publish(t, w, make([]byte, 8), Meta{})
		must(t, w.Renew(Descriptor{}, CreateOptions{}))
		publish(t, w, make([]byte, 8), Meta{})
		equal(t, []any{r.Next(patience).Seq > 0, r.Next(patience).Seq}, []any{true, uint64(1)})
	}
	equal(t, r.Missed(), uint64(0))
	until(t, "old mappings to go", func() bool { runtime.GC(); return count() <= before+1 })
}

func TestStateStalled(t *testing.T) {
	rings(t)
	d := bytesDescriptor(8)
	d.Rate = 1000
	w, r := create(t, "s", d, CreateOptions{}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, r.State(), Live)
	until(t, "stalled", func() bool { return r.State() == Stalled })
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, r.State(), Live)
}

// readable asks poll, as any event loop would.
func readable(t *testing.T, fd int, wait time.Duration) bool {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(wait/time.Millisecond))
		if err != unix.EINTR {
			must(t, err)
			return n > 0
		}
	}
}

func TestFdWithoutADoorbell(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{}), open(t, "s")
	followByFd(t, r, func(n int) *Writer {
		if n == 50 {
			must(t, w.Close())
			w = create(t, "s", bytesDescriptor(8), CreateOptions{})
		}
		return w
	})
}

// followByFd publishes 100 frames, each when the one before was taken, and takes them when the descriptor says so.
func followByFd(t *testing.T, r *Reader, writer func(n int) *Writer) {
	t.Helper()
	fd, err := r.Fd()
	must(t, err)
	again, err := r.Fd()
	must(t, err)
	equal(t, fd, again)
	for n := 0; n < 100; n++ {
		publish(t, writer(n), []byte(strconv.Itoa(10000000+n)), Meta{})
		var frame *Frame
		for frame == nil {
			equal(t, readable(t, fd, patience), true)
			frame = r.Next(0)
		}
		data, err := frame.Copy(nil)
		must(t, err)
		equal(t, string(data), strconv.Itoa(10000000+n))
	}
	equal(t, r.Missed(), uint64(0))
}

func TestFdLeavesNothingOpen(t *testing.T) {
	rings(t)
	w := create(t, "s", bytesDescriptor(8), CreateOptions{})
	publish(t, w, make([]byte, 8), Meta{})
	count := func() int { files, _ := os.ReadDir("/proc/self/fd"); return len(files) }
	before := count()
	for n := 0; n < 20; n++ {
		r, err := Open("s", Options{})
		must(t, err)
		_, err = r.Fd()
		must(t, err)
		must(t, r.Close())
	}
	equal(t, count(), before)
}
