package streamem

// checkHeader refuses a header by the rules of LAYOUT.md, "Check before you trust a header". Every sum is of 32-bit numbers
// in 64 bits, or turned into a difference or a quotient, so that none can overflow.
func checkHeader(h *segmentHeader, fileBytes uint64, where string) error {
	if string(h.magic[:]) != magic {
		return fail(ErrNotRing, "%s is not a streamem ring: its magic is not %s", where, magic)
	}
	if h.major != layoutMajor {
		return fail(ErrVersion, "%s has layout version %d.%d, this reader knows major version %d: update the older side",
			where, h.major, h.minor, layoutMajor)
	}
	if fileBytes < h.totalBytes {
		return fail(ErrTruncated, "%s is truncated: it has %d bytes, its header's total_bytes is %d", where, fileBytes, h.totalBytes)
	}
	rules := []struct {
		kept bool
		rule string
	}{
		{h.headerBytes >= uint32(headerBytes), "header_bytes >= 256"},
		{h.slotHeaderBytes >= uint32(slotHeaderBytes), "slot_header_bytes >= 128"},
		{h.slotCount >= slotsMin && h.slotCount <= slotsMax, "4 <= slot_count <= 65536"},
		{h.slotHeaderBytes <= h.fieldsOffset, "slot_header_bytes <= fields_offset"},
		{h.fieldsOffset%8 == 0, "fields_offset is a multiple of 8"},
		{h.fieldsCapacity <= fieldsBytesMax, "fields_capacity <= 65536"},
		{uint64(h.fieldsOffset)+uint64(h.fieldsCapacity) <= uint64(h.payloadOffset), "fields_offset + fields_capacity <= payload_offset"},
		{h.payloadCapacity <= h.slotStride && uint64(h.payloadOffset) <= h.slotStride-h.payloadCapacity, "payload_offset + payload_capacity <= slot_stride"},
		{h.payloadOffset%alignment == 0, "payload_offset is a multiple of 64"},
		{h.slotStride%alignment == 0, "slot_stride is a multiple of 64"},
		{h.slotsOffset%alignment == 0, "slots_offset is a multiple of 64"},
		{h.slotsOffset <= h.totalBytes, "slots_offset <= total_bytes"},
		{h.slotCount > 0 && h.slotStride <= (h.totalBytes-h.slotsOffset)/uint64(h.slotCount), "slots_offset + slot_count * slot_stride <= total_bytes"},
		{h.headerBytes <= h.descriptorOffset, "header_bytes <= descriptor_offset"},
		{h.descriptorBytes <= descriptorBytesMax, "descriptor_bytes <= 65536"},
		{uint64(h.descriptorOffset)+uint64(h.descriptorBytes) <= h.slotsOffset, "descriptor_offset + descriptor_bytes <= slots_offset"},
	}
	for _, r := range rules {
		if !r.kept {
			return fail(ErrDamaged, "%s is damaged: its header breaks %s", where, r.rule)
		}
	}
	return nil
}
