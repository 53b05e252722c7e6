package streamem

import (
	"math"
	"reflect"
)

// Field says where a value lies in a frame's metadata area.
type Field struct {
	Name   string  `json:"name"`
	Dtype  string  `json:"dtype"` // typestr
	Shape  []int   `json:"shape"` // empty: one value
	Offset int     `json:"offset"`
	Unit   *string `json:"unit,omitempty"`
}

// layout gives kind, item size, number of items and the end of the field's bytes; ok is false for what no frame can have.
func (f *Field) layout() (kind string, itemBytes, count, end int, ok bool) {
	_, kind, itemBytes = splitTypestr(f.Dtype)
	count, fits := product(f.Shape, fieldsBytesMax)
	if itemBytes == 0 || itemBytes > fieldsBytesMax || !fits || f.Offset < 0 || f.Offset > fieldsBytesMax {
		return kind, itemBytes, count, 0, false
	}
	end = f.Offset + itemBytes*count
	return kind, itemBytes, count, end, end <= fieldsBytesMax
}

// place is where in an item its b-th byte lies, counted from the least.
func (f *Field) place(b, itemBytes int) int {
	if f.Dtype[0] == '>' {
		return itemBytes - 1 - b
	}
	return b
}

// Fields are the frame's metadata by name, copied and checked: uint64, int64, float64 or bool, a slice of them in C order
// where the field has a shape, and bytes for what is no number. What this frame does not have is left out.
func (f *Frame) Fields() (map[string]any, error) {
	raw, err := f.FieldBytes()
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for i := range f.ring.descriptor.Fields {
		field := &f.ring.descriptor.Fields[i]
		if _, _, _, end, ok := field.layout(); ok && end <= len(raw) {
			values[field.Name] = field.read(raw)
		}
	}
	return values, nil
}

// FieldBytes is a checked copy of the frame's metadata area.
func (f *Frame) FieldBytes() ([]byte, error) {
	raw := append([]byte(nil), f.view(f.ring.fieldsOffset, f.fieldBytes)...)
	return raw, f.checked()
}

func (f *Field) read(raw []byte) any {
	kind, itemBytes, count, end, _ := f.layout()
	at := raw[f.Offset:end]
	switch kind {
	case "b":
		return oneOrAll(f, count, func(i int) bool { return at[i*itemBytes] != 0 })
	case "u", "i":
		if itemBytes > 8 {
			break
		}
		if kind == "i" {
			unused := 64 - 8*itemBytes // shifting back copies the sign
			return oneOrAll(f, count, func(i int) int64 { return int64(f.bits(at[i*itemBytes:], itemBytes)<<unused) >> unused })
		}
		return oneOrAll(f, count, func(i int) uint64 { return f.bits(at[i*itemBytes:], itemBytes) })
	case "f":
		if itemBytes == 4 || itemBytes == 8 || itemBytes == 2 {
			return oneOrAll(f, count, func(i int) float64 { return floatOf(f.bits(at[i*itemBytes:], itemBytes), itemBytes) })
		}
	}
	return append([]byte(nil), at...)
}

func oneOrAll[T any](f *Field, count int, item func(int) T) any {
	if len(f.Shape) == 0 {
		return item(0)
	}
	all := make([]T, count)
	for i := range all {
		all[i] = item(i)
	}
	return all
}

// bits are the first 1 to 8 bytes as one unsigned number.
func (f *Field) bits(raw []byte, itemBytes int) uint64 {
	var value uint64
	for b := itemBytes - 1; b >= 0; b-- {
		value = value<<8 | uint64(raw[f.place(b, itemBytes)])
	}
	return value
}

func floatOf(bits uint64, itemBytes int) float64 {
	switch itemBytes {
	case 8:
		return math.Float64frombits(bits)
	case 4:
		return float64(math.Float32frombits(uint32(bits)))
	}
	sign, exponent, mantissa := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1+mantissa/1024, exponent-15)
}

// write puts a number, a slice of numbers or bytes into the metadata area.
func (f *Field) write(area []byte, value any) error {
	kind, itemBytes, count, end, _ := f.layout()
	at := area[f.Offset:end]
	if raw, isBytes := value.([]byte); isBytes && len(raw) == len(at) {
		copy(at, raw)
		return nil
	}
	items := reflect.ValueOf(value)
	one := items.Kind() != reflect.Slice && items.Kind() != reflect.Array
	if !one && items.Len() != count || one && count != 1 {
		return fail(ErrArgument, "field %s: %T is not %d values of %s", f.Name, value, count, f.Dtype)
	}
	for i := 0; i < count; i++ {
		item := items
		if !one {
			item = items.Index(i)
		}
		bits, ok := bitsOf(item, kind, itemBytes)
		if !ok {
			return fail(ErrArgument, "field %s: %v does not fit into %s", f.Name, item, f.Dtype)
		}
		for b := 0; b < itemBytes; b++ {
			at[i*itemBytes+f.place(b, itemBytes)] = byte(bits >> (8 * b))
		}
	}
	return nil
}

// bitsOf is a Go number as the bits of a field; false where it does not fit.
func bitsOf(value reflect.Value, kind string, itemBytes int) (uint64, bool) {
	if value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	size := uint(8 * itemBytes)
	switch {
	case itemBytes > 8:
		return 0, false
	case kind == "b" && value.Kind() == reflect.Bool:
		if value.Bool() {
			return 1, true
		}
		return 0, true
	case kind == "f" && value.CanConvert(reflect.TypeOf(0.0)) && value.Kind() != reflect.String:
		number := value.Convert(reflect.TypeOf(0.0)).Float()
		if itemBytes == 4 {
			return uint64(math.Float32bits(float32(number))), true
		}
		return math.Float64bits(number), itemBytes == 8
	case value.CanUint():
		number := value.Uint()
		return number, kind == "u" && number>>(size-1)>>1 == 0 || kind == "i" && number>>(size-1) == 0
	case value.CanInt():
		number := value.Int()
		if kind == "u" {
			return uint64(number), number >= 0 && uint64(number)>>(size-1)>>1 == 0
		}
		return uint64(number), kind == "i" && number<<(64-size)>>(64-size) == number
	}
	return 0, false
}
