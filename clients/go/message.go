package streamem

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// The fields that say which frame a message was computed from. They stand first in a message stream's descriptor, unless its
// producer gives fields of his own, and are independent of the payload's encoding.
var referenceFields = []Field{
	{Name: "refers_to_sequence", Dtype: "<u8", Shape: []int{}, Offset: 0},
	{Name: "refers_to_capture_time_ns", Dtype: "<u8", Shape: []int{}, Offset: 8, Unit: stringOf("ns")},
	{Name: "refers_to_generation", Dtype: "|u1", Shape: []int{16}, Offset: 16},
	{Name: "refers_to_stream", Dtype: "|u1", Shape: []int{64}, Offset: 32},
}

const referenceBytes = 96

func stringOf(text string) *string { return &text }

// Reference names the frame that a message was computed from. As JSON it is the hub's `refersTo`.
type Reference struct {
	Stream        string `json:"stream"`
	Generation    string `json:"generation"` // 32 hexadecimal digits
	Seq           uint64 `json:"sequence,string"`
	CaptureTimeNs Maybe  `json:"captureTimeNs"`
	// Of a frame in hand, for the message's own time: a result describes the instant of its picture.
	timeErrorNs Maybe
	clockEpoch  uint32
}

// Reference to this frame, for Meta.RefersTo.
func (f *Frame) Reference() *Reference {
	return &Reference{f.streamName(), f.ring.generation, f.Seq, f.CaptureTimeNs, f.TimeErrorNs, f.ClockEpoch}
}

func (f *Frame) streamName() string {
	if name := f.ring.descriptor.Name; name != "" {
		return name
	}
	file := f.ring.where[strings.LastIndexByte(f.ring.where, '/')+1:]
	return file[strings.IndexByte(file, '.')+1:]
}

// RefersTo is the frame that this message was computed from, or nil where it names none. ErrLapped as in Copy.
func (f *Frame) RefersTo() (*Reference, error) {
	raw, err := f.FieldBytes()
	if err != nil || len(raw) < referenceBytes || !hasReference(f.ring.descriptor) {
		return nil, err
	}
	seq, capture := binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[8:])
	stream := strings.TrimRight(string(raw[32:96]), "\x00")
	if seq == 0 || !nameRule.MatchString(stream) {
		return nil, nil
	}
	return &Reference{Stream: stream, Generation: hex.EncodeToString(raw[16:32]), Seq: seq, CaptureTimeNs: fromSlot(capture)}, nil
}

// hasReference says whether the four fields are where they belong.
func hasReference(d *Descriptor) bool {
	found := 0
	for _, wanted := range referenceFields {
		for _, field := range d.Fields {
			if field.Name == wanted.Name && field.Dtype == wanted.Dtype && field.Offset == wanted.Offset && sameShape(field.Shape, wanted.Shape) {
				found++
				break
			}
		}
	}
	return found == len(referenceFields)
}

// write puts the reference into the metadata area, whose first bytes are its own.
func (r *Reference) write(area []byte) error {
	generation, err := hex.DecodeString(r.Generation)
	if err != nil || len(generation) != 16 || r.Seq == 0 || !nameRule.MatchString(r.Stream) {
		return fail(ErrArgument, "a reference needs a stream's name, a generation of 32 hexadecimal digits and a sequence from 1: %q, %q, %d",
			r.Stream, r.Generation, r.Seq)
	}
	binary.LittleEndian.PutUint64(area, r.Seq)
	binary.LittleEndian.PutUint64(area[8:], r.CaptureTimeNs.forSlot())
	copy(area[16:32], generation)
	copy(area[32:96], r.Stream)
	return nil
}

// Message decodes the payload into value. Of a json stream as json.Unmarshal does; of a utf8 stream into a *string. A *[]byte
// takes the bytes of any, so of msgpack, which the standard library cannot decode. The payload is copied and checked first.
func (f *Frame) Message(value any) error {
	raw, err := f.Copy(nil)
	if err != nil {
		return err
	}
	encoding := f.ring.descriptor.Encoding
	if bytes, isBytes := value.(*[]byte); isBytes {
		*bytes = raw
		return nil
	}
	if text, isString := value.(*string); isString && encoding == "utf8" {
		*text = string(raw)
		return nil
	}
	if encoding != "" && encoding != "json" {
		return fail(ErrArgument, "%s: its encoding is %q: a %T cannot take it, a *[]byte can", f.ring.where, encoding, value)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fail(err, "%s: frame %d is not JSON for a %T: %v", f.ring.where, f.Seq, value, err)
	}
	return nil
}

// PublishMessage publishes a message: bytes as they are; anything else as json.Marshal writes it, on a stream whose encoding
// is json; a string on a utf8 stream. Errors are those of Publish.
func (w *Writer) PublishMessage(value any, meta Meta) (uint64, error) {
	descriptor := w.Descriptor()
	if bytes, isBytes := value.([]byte); isBytes || descriptor == nil {
		return w.Publish(bytes, meta)
	}
	if text, isString := value.(string); isString && descriptor.Encoding == "utf8" {
		return w.Publish([]byte(text), meta)
	}
	if descriptor.Encoding != "json" {
		return 0, fail(ErrArgument, "stream %s: its encoding is %q: it takes bytes, not a %T", w.name, descriptor.Encoding, value)
	}
	raw, err := toJSON(value)
	if err != nil {
		return 0, fail(err, "stream %s: a %T cannot be written as JSON: %v", w.name, value, err)
	}
	return w.Publish(raw, meta)
}
