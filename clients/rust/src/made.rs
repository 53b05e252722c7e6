//! One generation as its writer makes it.

use std::fs::OpenOptions;
use std::mem::ManuallyDrop;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{fence, Ordering};

use crate::error::{Error, Result};
use crate::fork::HeldFile;
use crate::layout::*;
use crate::map::Mapping;
use crate::memory;
use crate::names::Name;
use crate::spec::Plan;
use crate::sys;

/// A ring of our own, mapped for writing and locked.
pub(crate) struct Made {
    pub map: ManuallyDrop<Mapping>,
    pub file: HeldFile,
    pub generation: [u8; 16],
    pub sizes: Sizes,
}

#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub fields_offset: u64,
    pub payload_offset: u64,
    pub slot_stride: u64,
    pub slots_offset: u64,
    pub total_bytes: u64,
}

impl Plan {
    /// Payloads of a page or more start at a page, because devices and DMA like it.
    fn sizes(&self, descriptor_bytes: u64) -> Sizes {
        let unit = if self.payload_capacity >= PAGE_BYTES { PAGE_BYTES } else { ALIGNMENT };
        let fields_offset = SLOT_HEADER_BYTES as u64;
        let payload_offset = round_up(fields_offset + self.fields_capacity as u64, unit);
        let slot_stride = round_up(payload_offset + self.payload_capacity, unit);
        let slots_offset = round_up(HEADER_BYTES as u64 + descriptor_bytes, PAGE_BYTES);
        let total_bytes = slots_offset + self.slot_count as u64 * slot_stride;
        Sizes { fields_offset, payload_offset, slot_stride, slots_offset, total_bytes }
    }

    fn descriptor(&self, name: &Name, generation: &[u8; 16]) -> String {
        let (ring, hex) = (name.ring(), generation.iter().map(|byte| format!("{:02x}", byte)).collect::<String>());
        let shm = format!(
            "\"object\":\"{}\",\"path\":\"{}\",\"generation\":\"{}\",\"slotCount\":{},\"slotStride\":{},\"payloadCapacity\":{}",
            &ring["/dev/shm".len()..],
            ring,
            hex,
            self.slot_count,
            self.sizes(0).slot_stride, // the descriptor's own size does not matter to it
            self.payload_capacity
        );
        format!("{{{},\"name\":\"{}\",\"wake\":null,\"shm\":{{{}}}}}", self.members, name.stream, shm)
    }
}

fn round_up(value: u64, to: u64) -> u64 {
    (value + to - 1) / to * to
}

impl Made {
    /// A whole ring with no frames, under a temporary name that nobody looks for. `ENOSPC` says the bytes needed and available.
    pub fn new(name: &Name, plan: &Plan, temporary: &str) -> Result<Made> {
        let generation = sys::random();
        let descriptor = plan.descriptor(name, &generation);
        if descriptor.len() > DESCRIPTOR_BYTES_MAX as usize {
            return Err(Error::new(
                libc::E2BIG,
                format!("stream \"{}\": a descriptor of {} bytes, allowed are 65536", name.stream, descriptor.len()),
            ));
        }
        let sizes = plan.sizes(descriptor.len() as u64);
        let (needed, room) = (sizes.total_bytes, memory::room());
        if needed > room {
            let words = format!(
                "stream \"{}\" needs {} bytes of shared memory ({} slots), {} are available in /dev/shm and under the memory limit: \
                 lower `slots`, or enlarge them (docker: --shm-size, --memory)",
                name.stream, needed, plan.slot_count, room
            );
            return Err(Error::new(libc::ENOSPC, words));
        }
        let failed = |error: std::io::Error| {
            let words = format!("stream \"{}\": {} bytes of shared memory cannot be had, {} were available", name.stream, needed, room);
            Error::system(words, &error)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = HeldFile::new(options.open(temporary).map_err(failed)?);
        sys::lock(&file).map_err(failed)?; // before anybody else may open it
        sys::allocate(&file, needed).map_err(failed)?;
        let map = ManuallyDrop::new(Mapping::for_writing(&file, needed).map_err(failed)?);
        let made = Made { map, file, generation, sizes };
        made.write_header(plan, &descriptor);
        Ok(made)
    }

    fn write_header(&self, plan: &Plan, descriptor: &str) {
        let mut header = SegmentHeader::zeroed();
        header.major = MAJOR;
        header.minor = MINOR;
        header.header_bytes = HEADER_BYTES as u32;
        header.total_bytes = self.sizes.total_bytes;
        header.generation = self.generation;
        header.slots_offset = self.sizes.slots_offset;
        header.slot_stride = self.sizes.slot_stride;
        header.payload_capacity = plan.payload_capacity;
        header.slot_count = plan.slot_count;
        header.slot_header_bytes = SLOT_HEADER_BYTES as u32;
        header.fields_offset = self.sizes.fields_offset as u32;
        header.fields_capacity = plan.fields_capacity;
        header.payload_offset = self.sizes.payload_offset as u32;
        header.descriptor_offset = HEADER_BYTES as u32;
        header.descriptor_bytes = descriptor.len() as u32;
        header.wake_mode = WAKE_FUTEX;
        header.writer_pid = std::process::id();
        header.writer_start_utc_ns = sys::utc_ns();
        self.map.copy_in(0, header.bytes());
        self.map.copy_in(HEADER_BYTES, descriptor.as_bytes());
        fence(Ordering::Release);
        self.map.copy_in(0, &MAGIC); // last: without it the rest counts for nothing
    }

    /// Where the slot of a frame begins.
    pub fn slot(&self, sequence: u64, plan: &Plan) -> usize {
        (self.sizes.slots_offset + sequence % plan.slot_count as u64 * self.sizes.slot_stride) as usize
    }

    /// The generation is over: readers take what is left and look for a successor.
    pub fn retire(&self) {
        let (flags, wake) = (self.map.word32(FLAGS_AT), self.map.word32(WAKE_AT));
        flags.store(flags.load(Ordering::Relaxed) | FLAG_RETIRED, Ordering::Release);
        wake.store(wake.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        sys::futex_wake(wake);
    }
}

impl Drop for Made {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if !self.file.is_lost() {
            unsafe { ManuallyDrop::drop(&mut self.map) }; // a forked child has no such mapping, perhaps another one there
        }
    }
}
