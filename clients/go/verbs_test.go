package streamem

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
)

func seqs(frames []*Frame) []uint64 {
	numbers := []uint64{}
	for _, frame := range frames {
		numbers = append(numbers, frame.Seq)
	}
	return numbers
}

func equal(t *testing.T, got, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("got %v, wanted %v", got, wanted)
	}
}

func isKind(t *testing.T, err, kind error, words string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Fatalf("%v: not a %v that says %q", err, kind, words)
	}
}

func TestVerbs(t *testing.T) {
	rings(t)
	w := create(t, "s", Descriptor{Kind: "depth", Dtype: Typestr("<u2"), Shape: []int{2, 3}, Rate: 30}, CreateOptions{Slots: 4})
	r := open(t, "s")
	if r.Latest() != nil || r.Newest(0) != nil || r.Next(0) != nil || r.Nearest(5) != nil {
		t.Fatal("a frame of an empty ring")
	}
	for n := byte(1); n <= 3; n++ {
		publish(t, w, []byte{n, 1, n, 1, n, 1, n, 1, n, 1, n, 1}, Meta{CaptureTimeNs: Known(100 * uint64(n)), TimeErrorNs: Known(0), ClockEpoch: 7})
	}
	frame := r.Next(0)
	equal(t, []any{frame.Seq, frame.Missed, frame.Shape, frame.OwnShape(), frame.Len()}, []any{uint64(3), uint64(0), []int{2, 3}, false, 12})
	equal(t, []any{frame.CaptureTimeNs, frame.TimeErrorNs, frame.DeviceTime, frame.ClockEpoch}, []any{Known(300), Known(0), Maybe{}, uint32(7)})
	items, err := Array[uint16](frame)
	must(t, err)
	equal(t, items, []uint16{259, 259, 259, 259, 259, 259})
	for _, wrong := range []func() error{
		func() error { _, err := Array[int16](frame); return err },
		func() error { _, err := Array[uint8](frame); return err },
	} {
		isKind(t, wrong(), ErrArgument, "its dtype is <u2")
	}
	equal(t, r.Latest().Seq, uint64(3)) // may repeat
	equal(t, r.Newest(0) == nil && r.Next(0) == nil, true)
	last, err := r.Last(3)
	must(t, err)
	equal(t, seqs(last), []uint64{1, 2, 3})
	_, err = r.Last(4)
	isKind(t, err, ErrArgument, "slots")
	equal(t, r.Nearest(210).Seq, uint64(2))
	equal(t, r.Nearest(250).Seq, uint64(3)) // of two as near the newer
	for n := byte(4); n <= 9; n++ {
		publish(t, w, make([]byte, 12), Meta{})
	}
	if frame.Valid() {
		t.Fatal("frame 3 is overwritten by 7")
	}
	_, err = frame.Copy(nil)
	isKind(t, err, ErrLapped, "frame 3 was overwritten")
	frame = r.Next(0)
	equal(t, []any{frame.Seq, frame.Missed, r.Missed()}, []any{uint64(9), uint64(5), uint64(5)})
	_, err = frame.Copy(make([]byte, 11))
	isKind(t, err, ErrArgument, "out has 11 bytes")
	if frame.Age() < 0 || frame.Age() > patience {
		t.Fatalf("age %s", frame.Age())
	}
	equal(t, r.State(), Live)
	must(t, r.Close())
	_, err = r.Last(1)
	isKind(t, err, ErrClosed, "closed")
	equal(t, r.Latest() == nil && r.Next(Forever) == nil && r.Newest(Forever) == nil, true)
}

func TestNextInOrderAndWaiting(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{}), open(t, "s")
	publish(t, w, make([]byte, 8), Meta{})
	equal(t, r.Next(0).Seq, uint64(1))
	start := time.Now()
	equal(t, r.Next(30*time.Millisecond) == nil && time.Since(start) >= 30*time.Millisecond, true)
	go func() {
		for i := 0; i < 200; i++ {
			time.Sleep(time.Millisecond)
			if _, err := w.Publish(make([]byte, 8), Meta{}); err != nil {
				panic(err)
			}
		}
	}()
	for got := uint64(1); got < 201; {
		frame := r.Next(patience)
		equal(t, frame.Seq, got+1+frame.Missed)
		got = frame.Seq
	}
}

func TestStack(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(2), CreateOptions{Slots: 4}), open(t, "s")
	stack, err := r.Stack(6)
	must(t, err)
	equal(t, stack == nil, true)
	for n := byte(1); n <= 8; n++ {
		publish(t, w, []byte{n, n}, Meta{})
		if n >= 4 {
			r.Next(0)
		}
	}
	stack, err = r.Stack(3)
	must(t, err)
	equal(t, *stack, Stack{[]byte{6, 6, 7, 7, 8, 8}, []int{3, 2}, []uint64{6, 7, 8}})
	stack, err = r.Stack(6)
	must(t, err)
	equal(t, stack.Seqs, []uint64{4, 5, 6, 7, 8})
	publish(t, w, []byte{9}, Meta{}) // another shape: the others are left out
	stack, err = r.Stack(6)
	must(t, err)
	equal(t, *stack, Stack{[]byte{9}, []int{1, 1}, []uint64{9}})
	_, err = r.Stack(0)
	isKind(t, err, ErrArgument, "1 or more")
}

func TestOpenErrors(t *testing.T) {
	rings(t)
	_, err := Open("nothing", Options{Timeout: 20 * time.Millisecond})
	isKind(t, err, fs.ErrNotExist, "is its writer running?")
	_, err = Open("NO", Options{})
	isKind(t, err, ErrArgument, "allowed are")
	_, err = Open("s", Options{Prefix: "a.b"})
	isKind(t, err, ErrArgument, "prefix")
	_, err = Open("./verbs_test.go", Options{})
	isKind(t, err, ErrNotRing, "magic")
	_, err = Open("/dev/null", Options{})
	isKind(t, err, ErrNotRing, "not a file")
	_, err = Open("../vectors/newer-major.ring", Options{})
	isKind(t, err, ErrVersion, "update the older side")
	_, err = Open("../vectors/cut-in-slots.ring", Options{})
	isKind(t, err, ErrTruncated, "truncated")
}

func TestAcquireCommitAbort(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{Slots: 4}), open(t, "s")
	slot, err := w.Acquire()
	must(t, err)
	_, err = w.Acquire()
	isKind(t, err, ErrBusy, "Commit or Abort it first")
	_, err = w.Publish(make([]byte, 8), Meta{})
	isKind(t, err, ErrBusy, "acquired")
	copy(slot, "12345678")
	equal(t, r.Latest() == nil, true)
	_, err = w.Commit(9, Meta{})
	isKind(t, err, ErrTooLarge, "payload capacity is 8")
	seq, err := w.Commit(8, Meta{DeviceTime: Known(3)})
	must(t, err)
	data, err := r.Latest().Copy(nil)
	must(t, err)
	equal(t, []any{seq, string(data), r.Latest().DeviceTime}, []any{uint64(1), "12345678", Known(3)})
	_, err = w.Acquire()
	must(t, err)
	w.Abort()
	_, err = w.Commit(8, Meta{})
	isKind(t, err, ErrArgument, "without Acquire")
	equal(t, publish(t, w, make([]byte, 8), Meta{}), uint64(2))
}
