package streamem

import (
	"math"
	"strings"
	"testing"
)

func TestFieldsOfEveryType(t *testing.T) {
	rings(t)
	fields := LayOut(
		Field{Name: "b", Dtype: "|b1"}, Field{Name: "u1", Dtype: "|u1", Shape: []int{3}}, Field{Name: "i2", Dtype: "<i2", Shape: []int{2}},
		Field{Name: "u4", Dtype: ">u4"}, Field{Name: "i8", Dtype: ">i8"}, Field{Name: "u8", Dtype: "<u8"},
		Field{Name: "f4", Dtype: "<f4", Shape: []int{2, 1}}, Field{Name: "f8", Dtype: ">f8"}, Field{Name: "text", Dtype: "|S4"},
		Field{Name: "last", Dtype: "<u2"},
	)
	d := bytesDescriptor(1)
	d.Fields = fields
	w, r := create(t, "s", d, CreateOptions{}), open(t, "s")
	values := map[string]any{
		"b": true, "u1": []uint64{1, 2, 255}, "i2": []int64{-32768, 32767}, "u4": uint64(math.MaxUint32), "i8": int64(math.MinInt64),
		"u8": uint64(math.MaxUint64), "f4": []float64{0.5, -2}, "f8": math.Pi, "text": []byte("abcd"),
	}
	publish(t, w, []byte{1}, Meta{Fields: values})
	got, err := r.Latest().Fields()
	must(t, err)
	equal(t, got, values) // "last" lies beyond what this frame used
	publish(t, w, []byte{1}, Meta{})
	got, err = r.Latest().Fields()
	must(t, err)
	equal(t, len(got), 0)
	for name, value := range map[string]any{"u1": []int{1, 2}, "i2": []int{-32769, 0}, "u4": -1, "last": 65536, "text": "abcd", "none": 1, "b": 2} {
		if _, err := w.Publish([]byte{1}, Meta{Fields: map[string]any{name: value}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Fatalf("field %s took %v: %v", name, value, err)
		}
	}
	equal(t, w.Seq(), uint64(2))
}

func TestHalfFloats(t *testing.T) {
	for bits, wanted := range map[uint64]float64{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: math.Ldexp(1, -24), 0x7c00: math.Inf(1), 0x0400: math.Ldexp(1, -14)} {
		equal(t, floatOf(bits, 2), wanted)
	}
	equal(t, math.IsNaN(floatOf(0x7e00, 2)), true)
}

func TestMessages(t *testing.T) {
	prefix := rings(t)
	picture := create(t, "camera", bytesDescriptor(4), CreateOptions{})
	publish(t, picture, make([]byte, 4), Meta{CaptureTimeNs: Known(500), TimeErrorNs: Known(9), ClockEpoch: 3})
	frame := open(t, "camera").Latest()
	w, r := create(t, "results", Descriptor{Kind: "message"}, CreateOptions{}), open(t, "results")
	equal(t, []any{r.Descriptor().Encoding, r.Descriptor().Shm.SlotCount, r.Descriptor().Shape}, []any{"json", 256, []int{16384}})

	type box struct{ Label string }
	_, err := w.PublishMessage(box{"<cup>"}, Meta{RefersTo: frame.Reference()})
	must(t, err)
	message := r.Next(0)
	var read box
	must(t, message.Message(&read))
	to, err := message.RefersTo()
	must(t, err)
	equal(t, []any{read, message.CaptureTimeNs, message.TimeErrorNs, message.ClockEpoch}, []any{box{"<cup>"}, Known(500), Known(9), uint32(3)})
	equal(t, *to, Reference{Stream: "camera", Generation: frame.Generation(), Seq: 1, CaptureTimeNs: Known(500)})

	_, err = w.PublishMessage("plain", Meta{})
	must(t, err)
	message = r.Next(0)
	to, err = message.RefersTo()
	must(t, err)
	equal(t, []any{to == nil, message.fieldBytes, string(message.Data())}, []any{true, uint64(0), `"plain"`})

	_, err = w.PublishMessage(strings.Repeat("x", 16384), Meta{})
	isKind(t, err, ErrTooLarge, "PayloadCapacity")
	_, err = w.PublishMessage(1, Meta{RefersTo: &Reference{Stream: "NO", Generation: "00", Seq: 1}})
	isKind(t, err, ErrArgument, "a reference needs")
	_, err = picture.Publish(make([]byte, 4), Meta{RefersTo: frame.Reference()})
	isKind(t, err, ErrArgument, "no fields for a reference")

	text := create(t, "text", Descriptor{Kind: "message", Encoding: "utf8"}, CreateOptions{})
	_, err = text.PublishMessage("grüße", Meta{})
	must(t, err)
	var words string
	must(t, open(t, "text").Latest().Message(&words))
	equal(t, words, "grüße")
	_, err = text.PublishMessage(1, Meta{})
	isKind(t, err, ErrArgument, "utf8")
	names, err := Streams(prefix)
	must(t, err)
	equal(t, names, []string{"camera", "results", "text"})
}
