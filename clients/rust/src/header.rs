//! A segment header of a stranger: nothing in it is used before it is checked.

use crate::error::{Error, Result};
use crate::layout::*;

/// The header, if every offset and size in it keeps a reader inside of the file. `have`: how much of it there is.
pub(crate) fn checked(header: SegmentHeader, have: usize, file_bytes: u64, place: &str) -> Result<SegmentHeader> {
    let h = header;
    let refuse = |errno, words: String| Err(Error::new(errno, format!("{} {}", place, words)));
    if have >= 8 && h.magic != MAGIC {
        return refuse(libc::EBADMSG, "is not a ring: its magic is not STREAMEM".into());
    }
    if have < HEADER_BYTES {
        return refuse(libc::EBADMSG, format!("is truncated: {} bytes, a ring's header has {}", have, HEADER_BYTES));
    }
    if h.major != MAJOR {
        let words = format!("has layout version {}.{}, this reader knows major version {}: update the older side", h.major, h.minor, MAJOR);
        return refuse(libc::EPROTO, words);
    }
    if file_bytes < h.total_bytes {
        return refuse(libc::EBADMSG, format!("is truncated: {} bytes, total_bytes is {}", file_bytes, h.total_bytes));
    }
    // In 128 bits none of these sums and products overflows.
    let wide = |number: u32| number as u128;
    let (stride, slots, total) = (h.slot_stride as u128, h.slots_offset as u128, h.total_bytes as u128);
    let rules = [
        (h.header_bytes >= HEADER_BYTES as u32, "header_bytes >= 256"),
        (h.slot_header_bytes >= SLOT_HEADER_BYTES as u32, "slot_header_bytes >= 128"),
        ((SLOTS_MIN..=SLOTS_MAX).contains(&h.slot_count), "4 <= slot_count <= 65536"),
        (h.slot_header_bytes <= h.fields_offset, "slot_header_bytes <= fields_offset"),
        (h.fields_offset % 8 == 0, "fields_offset a multiple of 8"),
        (h.fields_capacity <= FIELDS_BYTES_MAX, "fields_capacity <= 65536"),
        (wide(h.fields_offset) + wide(h.fields_capacity) <= wide(h.payload_offset), "fields_offset + fields_capacity <= payload_offset"),
        (wide(h.payload_offset) + h.payload_capacity as u128 <= stride, "payload_offset + payload_capacity <= slot_stride"),
        (h.payload_offset as u64 % ALIGNMENT == 0, "payload_offset a multiple of 64"),
        (h.slot_stride % ALIGNMENT == 0, "slot_stride a multiple of 64"),
        (h.slots_offset % ALIGNMENT == 0, "slots_offset a multiple of 64"),
        (slots + wide(h.slot_count) * stride <= total, "slots_offset + slot_count * slot_stride <= total_bytes"),
        (h.header_bytes <= h.descriptor_offset, "header_bytes <= descriptor_offset"),
        (h.descriptor_bytes <= DESCRIPTOR_BYTES_MAX, "descriptor_bytes <= 65536"),
        (wide(h.descriptor_offset) + wide(h.descriptor_bytes) <= slots, "descriptor_offset + descriptor_bytes <= slots_offset"),
    ];
    match rules.iter().find(|(kept, _)| !kept) {
        Some((_, rule)) => refuse(libc::EBADMSG, format!("is damaged: its header breaks {}", rule)),
        None => Ok(h),
    }
}
