package streamem

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// Descriptor is what a stream says about itself. It changes only with the generation. A producer gives Kind, Dtype and Shape
// and whatever else it knows; Name, Wake and Shm are added. Members that are not named here are in Other.
type Descriptor struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind"` // video, depth, audio, imu, pose, message, tensor
	Dtype Dtype   `json:"dtype"`
	Shape []int   `json:"shape"` // C order
	Rate  float64 `json:"rate,omitempty"`
	// Dims names the entries of Shape.
	Dims []string `json:"dims,omitempty"`
	// Strides are the bytes from one entry to the next in each dimension, where the shape does not lie without gaps.
	Strides     []int        `json:"strides,omitempty"`
	PixelFormat string       `json:"pixelFormat,omitempty"`
	Units       string       `json:"units,omitempty"`
	Encoding    string       `json:"encoding,omitempty"` // of messages: json, utf8, msgpack
	Fields      []Field      `json:"fields,omitempty"`
	Clock       *Clock       `json:"clock,omitempty"`
	Wake        *string      `json:"wake"` // path of the doorbell, or nil
	Shm         *SharedShape `json:"shm,omitempty"`

	Other map[string]json.RawMessage `json:"-"`
	// Raw is the text as it stands in the ring.
	Raw json.RawMessage `json:"-"`
}

// Clock says what device times count.
type Clock struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Epoch  string `json:"epoch"`
	Method string `json:"method"` // probe, one-way, local
}

// SharedShape repeats for people what the ring's header says.
type SharedShape struct {
	Object          string `json:"object"`
	Path            string `json:"path"`
	Generation      string `json:"generation"`
	SlotCount       int    `json:"slotCount"`
	SlotStride      int    `json:"slotStride"`
	PayloadCapacity int    `json:"payloadCapacity"`
}

// members are the JSON names with where their values go.
func (d *Descriptor) members() map[string]any {
	return map[string]any{
		"name": &d.Name, "kind": &d.Kind, "dtype": &d.Dtype, "shape": &d.Shape, "rate": &d.Rate, "dims": &d.Dims,
		"strides": &d.Strides, "pixelFormat": &d.PixelFormat, "units": &d.Units, "encoding": &d.Encoding,
		"fields": &d.Fields, "clock": &d.Clock, "wake": &d.Wake, "shm": &d.Shm,
	}
}

// parseDescriptor refuses what is no JSON object in UTF-8. A member of another type than expected is taken as not there: a
// reader can do without all but two of them, and without those it still has bytes.
func parseDescriptor(text []byte, where string) (*Descriptor, error) {
	if !utf8.Valid(text) {
		return nil, fail(ErrDamaged, "%s is damaged: its descriptor is not UTF-8", where)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil || parts == nil {
		return nil, fail(ErrDamaged, "%s is damaged: its descriptor is not a JSON object: %v", where, err)
	}
	d := &Descriptor{Raw: text}
	targets := d.members()
	for name, part := range parts {
		if target, known := targets[name]; known {
			if json.Unmarshal(part, target) == nil {
				continue
			}
			half := reflect.ValueOf(target).Elem() // a list up to its first strange entry, for instance
			half.Set(reflect.Zero(half.Type()))
		}
		if d.Other == nil {
			d.Other = map[string]json.RawMessage{}
		}
		d.Other[name] = part
	}
	if _, fits := product(d.Shape, 1<<62); !fits {
		d.Shape = nil
	}
	return d, nil
}

// text is the descriptor as it goes into a ring.
func (d *Descriptor) text() ([]byte, error) {
	own, err := toJSON(d)
	if err != nil || len(d.Other) == 0 {
		return own, err
	}
	parts := map[string]json.RawMessage{}
	if err := json.Unmarshal(own, &parts); err != nil {
		return nil, err
	}
	for name, part := range d.Other {
		if _, known := parts[name]; !known {
			parts[name] = part
		}
	}
	return toJSON(parts)
}
