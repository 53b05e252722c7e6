package streamem

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// Dtype is the type of a frame's items, as NumPy writes it: a typestr such as "<f4", or the members of a record.
type Dtype struct {
	Typestr string
	Members []Member
}

// Member is one member of a record dtype. Records are packed, in this order, without gaps.
type Member struct {
	Name  string
	Dtype Dtype
	Shape []int
}

// Typestr is the dtype of plain items: order (<, >, |), kind (b i u f c S V), bytes of one item.
func Typestr(text string) Dtype { return Dtype{Typestr: text} }

var typestrRule = regexp.MustCompile(`^([<>|=]?)([biufcSVUmM])([0-9]{1,9})(\[[0-9A-Za-z]{1,8}\])?$`)

const (
	itemBytesMax  = 1 << 31
	recordDepth   = 8
	shapeEntryMax = 1<<32 - 1
)

// ItemBytes is the size of one item; 0 where the dtype is none that this package understands.
func (d Dtype) ItemBytes() int { return d.itemBytes(0) }

func (d Dtype) itemBytes(depth int) int {
	if d.Members == nil {
		_, _, bytes := splitTypestr(d.Typestr)
		return bytes
	}
	total := 0
	for _, member := range d.Members {
		count, fits := product(member.Shape, itemBytesMax)
		bytes := 0
		if depth < recordDepth {
			bytes = member.Dtype.itemBytes(depth + 1)
		}
		if bytes == 0 || count == 0 || !fits || bytes >= itemBytesMax/count {
			return 0
		}
		if total += bytes * count; total >= itemBytesMax {
			return 0
		}
	}
	return total
}

// splitTypestr gives order, kind and item size, 0 for what is no typestr.
func splitTypestr(text string) (order, kind string, bytes int) {
	parts := typestrRule.FindStringSubmatch(text)
	if parts == nil {
		return "", "", 0
	}
	bytes, _ = strconv.Atoi(parts[3])
	if parts[2] == "U" {
		bytes *= 4
	}
	if bytes >= itemBytesMax {
		bytes = 0
	}
	return parts[1], parts[2], bytes
}

// product is the number of items of a shape, 0 where an entry is 0; fits is false where it is more than most, or no shape.
func product(shape []int, most int) (items int, fits bool) {
	if len(shape) > dimensionsMax {
		return 0, false
	}
	for _, n := range shape {
		if n < 0 || n > shapeEntryMax {
			return 0, false
		}
		if n == 0 {
			return 0, true
		}
	}
	items = 1
	for _, n := range shape {
		if items > most/n {
			return 0, false
		}
		items *= n
	}
	return items, items <= most
}

// String is the typestr; of a record its members as JSON.
func (d Dtype) String() string {
	if d.Members == nil {
		return d.Typestr
	}
	text, _ := d.MarshalJSON() // names, typestrs and numbers: nothing that could fail
	return string(text)
}

// MarshalJSON writes a typestr as a string, a record as NumPy's descr list.
func (d Dtype) MarshalJSON() ([]byte, error) {
	if d.Members == nil {
		return toJSON(d.Typestr)
	}
	list := make([][]any, len(d.Members))
	for i, member := range d.Members {
		list[i] = []any{member.Name, member.Dtype}
		if member.Shape != nil {
			list[i] = append(list[i], member.Shape)
		}
	}
	return toJSON(list)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Dtype) UnmarshalJSON(text []byte) error {
	*d = Dtype{}
	if json.Unmarshal(text, &d.Typestr) == nil {
		return nil
	}
	var list [][]json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	d.Members = make([]Member, len(list))
	for i, parts := range list {
		member := &d.Members[i]
		if len(parts) < 2 || len(parts) > 3 {
			return fail(ErrDamaged, "dtype: member %d has %d parts, not name, typestr and perhaps shape", i, len(parts))
		}
		targets := []any{&member.Name, &member.Dtype, &member.Shape}
		for j, part := range parts {
			if err := json.Unmarshal(part, targets[j]); err != nil {
				return err
			}
		}
	}
	return nil
}
