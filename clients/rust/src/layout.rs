//! The bytes of a ring. `native/layout.json` says the same for machines, and a test holds [`offsets`] against it.

use std::mem::MaybeUninit;
use std::ptr::addr_of;

pub(crate) const MAGIC: [u8; 8] = *b"STREAMEM";
pub(crate) const MAJOR: u16 = 1;
pub(crate) const MINOR: u16 = 0;
pub(crate) const HEADER_BYTES: usize = 256;
pub(crate) const SLOT_HEADER_BYTES: usize = 128;
pub(crate) const FLAG_RETIRED: u32 = 1;
pub(crate) const WAKE_FUTEX: u32 = 1;
pub(crate) const SLOTS_MIN: u32 = 4;
pub(crate) const SLOTS_MAX: u32 = 65536;
pub(crate) const DESCRIPTOR_BYTES_MAX: u32 = 65536;
pub(crate) const FIELDS_BYTES_MAX: u32 = 65536;
pub(crate) const DIMENSIONS_MAX: u32 = 8;
pub(crate) const ALIGNMENT: u64 = 64;
pub(crate) const PAGE_BYTES: u64 = 4096;
pub(crate) const RETRIES_MAX: usize = 8;
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// Where `latest`, `wake` and `flags` lie: all of the header that changes.
pub(crate) const LATEST_AT: usize = 128;
pub(crate) const WAKE_AT: usize = 136;
pub(crate) const FLAGS_AT: usize = 140;
/// Where `begin` and `end` lie in a slot; what lies behind them is written between the two.
pub(crate) const BEGIN_AT: usize = 0;
pub(crate) const END_AT: usize = 8;

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SegmentHeader {
    pub magic: [u8; 8],
    pub major: u16,
    pub minor: u16,
    pub header_bytes: u32,
    pub total_bytes: u64,
    pub generation: [u8; 16],
    pub slots_offset: u64,
    pub slot_stride: u64,
    pub payload_capacity: u64,
    pub slot_count: u32,
    pub slot_header_bytes: u32,
    pub fields_offset: u32,
    pub fields_capacity: u32,
    pub payload_offset: u32,
    pub descriptor_offset: u32,
    pub descriptor_bytes: u32,
    pub wake_mode: u32,
    pub writer_pid: u32,
    pub reserved_100: u32,
    pub writer_start_utc_ns: u64,
    pub reserved_112: [u8; 16],
    pub latest: u64,
    pub wake: u32,
    pub flags: u32,
    pub reserved_144: [u8; 112],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SlotHeader {
    pub begin: u64,
    pub end: u64,
    pub device_time: u64,
    pub capture_time_ns: u64,
    pub time_error_ns: u64,
    pub publish_time_ns: u64,
    pub publish_utc_ns: u64,
    pub payload_bytes: u64,
    pub clock_epoch: u32,
    pub fields_bytes: u32,
    pub dimensions: u32,
    pub reserved_76: u32,
    pub shape: [u32; 8],
    pub reserved_112: [u8; 16],
}

/// A struct of numbers and arrays of numbers without padding, so that any bytes are one of it and it is bytes.
///
/// # Safety
/// The implementor is `repr(C)`, has no padding, and every pattern of bits is a value of it.
#[allow(unsafe_code)]
pub(crate) unsafe trait Bytes: Copy {
    fn zeroed() -> Self {
        unsafe { MaybeUninit::zeroed().assume_init() } // zeros are a value of it
    }

    fn bytes(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self as *const Self as *const u8, std::mem::size_of::<Self>()) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        unsafe { std::slice::from_raw_parts_mut(self as *mut Self as *mut u8, std::mem::size_of::<Self>()) }
    }
}

#[allow(unsafe_code)]
unsafe impl Bytes for SegmentHeader {}
#[allow(unsafe_code)]
unsafe impl Bytes for SlotHeader {}

const _: [(); HEADER_BYTES] = [(); std::mem::size_of::<SegmentHeader>()];
const _: [(); SLOT_HEADER_BYTES] = [(); std::mem::size_of::<SlotHeader>()];

/// Name and offset of each field, as the compiler lays the struct out (`offset_of!` came with Rust 1.77).
macro_rules! offsets {
    ($kind:ident: $($field:ident)*) => {{
        let value = $kind::zeroed();
        let start = addr_of!(value) as usize;
        vec![$((stringify!($field), addr_of!(value.$field) as usize - start)),*]
    }};
}

type Offsets = Vec<(&'static str, usize)>;

/// The offsets that this crate uses, of the segment header and of the slot header.
pub fn offsets() -> (Offsets, Offsets) {
    let segment = offsets!(SegmentHeader: magic major minor header_bytes total_bytes generation slots_offset slot_stride
        payload_capacity slot_count slot_header_bytes fields_offset fields_capacity payload_offset descriptor_offset
        descriptor_bytes wake_mode writer_pid reserved_100 writer_start_utc_ns reserved_112 latest wake flags reserved_144);
    let slot = offsets!(SlotHeader: begin end device_time capture_time_ns time_error_ns publish_time_ns publish_utc_ns
        payload_bytes clock_epoch fields_bytes dimensions reserved_76 shape reserved_112);
    debug_assert!(
        segment.contains(&("latest", LATEST_AT)) && segment.contains(&("wake", WAKE_AT)) && segment.contains(&("flags", FLAGS_AT))
    );
    debug_assert!(slot.contains(&("begin", BEGIN_AT)) && slot.contains(&("end", END_AT)));
    (segment, slot)
}
