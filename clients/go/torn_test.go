package streamem

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"
)

// No frame is ever mixed from two writes: neither its payload, nor its numbers, nor its fields. A writer runs at full rate
// through 4 slots with frames of 64 B to 4 KiB, and two readers are lapped all the time. To see it fail, take out, each on its own:
//
//	in Frame.Valid  `return atomic.LoadUint64(&f.slot.begin) == f.Seq`  (return true)       torn payloads and fields
//	in ring.read    the check of begin after the copy of the slot header                    torn numbers; TestASlotThatIsNotEnded at once
//	in Writer.open  the store of begin                                                       torn payloads
//	in ring.read    the check of end                                                         TestASlotThatIsNotEnded
//
// Taking out a fence cannot fail a test on x86-64, where only the compiler has to be held; arm64 would show it.

const enough = 100_000 // deliveries, and rejections, of each reader

// Only so that a hunt in vain ends: where all share one busy core a reader is seldom lapped.
const huntPatience = 4 * patience

const tornFields = 512 // so many words that copying them takes time

func init() {
	roles["torn-writer"] = func([]string) {
		d := Descriptor{Dtype: Typestr("|u1"), Shape: []int{4096}, Fields: []Field{{Name: "words", Dtype: "<u8", Shape: []int{tornFields}}}}
		w, err := Create("t", d, CreateOptions{Slots: 4})
		if err != nil {
			panic(err)
		}
		words := make([]byte, 8*tornFields)
		for seq := uint64(1); ; seq++ {
			slot, err := w.Acquire()
			if err != nil {
				panic(err)
			}
			bytes := 64 << (seq % 7)
			pattern(slot[:bytes], seq)
			pattern(words, seq)
			meta := Meta{DeviceTime: Known(seq * golden), TimeErrorNs: Known(seq), ClockEpoch: uint32(seq), Fields: map[string]any{"words": words}}
			if _, err := w.Commit(bytes, meta); err != nil {
				panic(err)
			}
		}
	}
}

type tally struct{ delivered, rejected, torn int }

// take checks the frame's own numbers, which need no further asking, then its payload and fields by what the checks let through.
func (c *tally) take(f *Frame, out []byte) {
	device, _ := f.DeviceTime.Get()
	errorNs, _ := f.TimeErrorNs.Get()
	if device != f.Seq*golden || errorNs != f.Seq || f.ClockEpoch != uint32(f.Seq) || f.Len() != 64<<(f.Seq%7) || f.fieldBytes != 8*tornFields {
		c.torn++
	}
	if f.Seq%2 == 0 {
		c.count(holdsPattern(f.Data(), f.Seq), f.Valid()) // a view, asked after its use
	} else {
		data, err := f.Copy(out)
		c.count(err != nil || holdsPattern(data, f.Seq), err == nil)
	}
	raw, err := f.FieldBytes()
	c.count(err != nil || holdsPattern(raw, f.Seq), err == nil)
}

func (c *tally) count(right, let bool) {
	switch {
	case !let:
		c.rejected++
	case !right:
		c.torn++
	default:
		c.delivered++
	}
}

// hunt reads by every verb in turn, and the oldest frames of the ring so that it is lapped.
func (c *tally) hunt(r *Reader) {
	out := make([]byte, 4096)
	for end := time.Now().Add(huntPatience); (c.delivered < enough || c.rejected < enough) && time.Now().Before(end); {
		frames, _ := r.Last(3)
		frames = append(frames, r.Latest(), r.Newest(0), r.Next(patience))
		for _, frame := range frames {
			if frame != nil {
				c.take(frame, out)
			}
		}
		if c.delivered%64 == 0 {
			if stack, err := r.Stack(2); err == nil && stack != nil {
				bytes := len(stack.Data) / len(stack.Seqs)
				for i, seq := range stack.Seqs {
					c.count(holdsPattern(stack.Data[i*bytes:(i+1)*bytes], seq), true)
				}
			}
		}
	}
}

func TestTornFrames(t *testing.T) {
	rings(t)
	start(t, "torn-writer")
	var tallies [2]tally
	var both sync.WaitGroup
	for i := range tallies {
		r := open(t, "t")
		both.Add(1)
		go func(c *tally) {
			defer both.Done()
			c.hunt(r)
		}(&tallies[i])
	}
	both.Wait()
	for _, c := range tallies {
		t.Logf("%+v", c)
		if c.torn > 0 || c.delivered < enough || c.rejected < enough {
			t.Fatalf("%+v, wanted %d deliveries and rejections, and no torn frame", c, enough)
		}
	}
}

func TestASlotThatIsNotEnded(t *testing.T) {
	rings(t)
	w, r := create(t, "s", bytesDescriptor(8), CreateOptions{Slots: 4}), open(t, "s")
	for n := 0; n < 3; n++ {
		publish(t, w, make([]byte, 8), Meta{})
	}
	slot := w.made.memory[w.made.slotAt(3):]
	frame := r.Latest()
	binary.LittleEndian.PutUint64(slot[8:], 0)
	equal(t, r.Latest() == nil, true)
	last, err := r.Last(3)
	must(t, err)
	equal(t, seqs(last), []uint64{1, 2})
	binary.LittleEndian.PutUint64(slot[8:], 3)
	binary.LittleEndian.PutUint64(slot, 7) // begun again
	_, err = frame.Copy(nil)
	equal(t, []any{r.Latest() == nil, frame.Valid(), errors.Is(err, ErrLapped)}, []any{true, false, true})
	_, err = frame.Fields()
	equal(t, errors.Is(err, ErrLapped), true)
}
