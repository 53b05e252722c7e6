package streamem

import "unsafe"

// Number are the item types that a frame can be seen as.
type Number interface {
	~uint8 | ~int8 | ~uint16 | ~int16 | ~uint32 | ~int32 | ~uint64 | ~int64 | ~float32 | ~float64
}

// Array is the payload as items of T in C order (frame.Shape says how many of each dimension): a view, read-only, no copy.
// An error where T is not the frame's dtype, or the payload has fewer bytes than its shape asks for.
//
//	depth, err := streamem.Array[uint16](frame)
//	z := depth[row*frame.Shape[1]+column]
func Array[T Number](f *Frame) ([]T, error) {
	descriptor := f.ring.descriptor
	order, kind, bytes := splitTypestr(descriptor.Dtype.Typestr)
	var item T
	if descriptor.Dtype.Members != nil || order == ">" || bytes != int(unsafe.Sizeof(item)) || !isOfKind(item, kind) {
		return nil, fail(ErrArgument, "%s: its dtype is %s, not %T", f.ring.where, descriptor.Dtype, item)
	}
	if descriptor.Strides != nil && !f.ownShape {
		return nil, fail(ErrArgument, "%s: its items do not lie side by side: use Data with the descriptor's strides %v", f.ring.where, descriptor.Strides)
	}
	count, fits := product(f.Shape, int(f.bytes)/bytes)
	if !fits || f.Shape == nil {
		return nil, fail(ErrDamaged, "%s: frame %d has %d bytes, too few for shape %v of %s", f.ring.where, f.Seq, f.bytes, f.Shape, descriptor.Dtype.Typestr)
	}
	if count == 0 {
		return []T{}, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&f.Data()[0])), count), nil // payloads start at multiples of 64
}

// isOfKind compares T with the typestr's letter. A bool is a byte of 0 or 1.
func isOfKind[T Number](_ T, kind string) bool {
	half, zero := T(1)/T(2), T(0)
	if half != zero {
		return kind == "f"
	}
	if zero-T(1) < zero {
		return kind == "i"
	}
	return kind == "u" || kind == "b"
}
