//! One generation of a stream, mapped read-only, and the reading of one frame of it.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use crate::descriptor::Descriptor;
use crate::dtype::items_of;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::header;
use crate::layout::*;
use crate::map::Mapping;
use crate::sys;

/// Frames refer to it, so that it stays mapped for as long as one is held. The sizes are our own copies.
pub(crate) struct Ring {
    pub map: Mapping,
    pub file: File,
    pub name: String,
    pub descriptor: Descriptor,
    pub generation: [u8; 16],
    pub slot_count: u64,
    pub payload_capacity: u64,
    pub wakes: bool,
    pub writer_start_utc_ns: u64,
    slots_offset: usize,
    slot_stride: usize,
    fields_offset: usize,
    fields_capacity: u32,
    payload_offset: usize,
}

impl Ring {
    /// `place` says in errors where the file was found.
    pub fn open(file: File, place: &str) -> Result<Ring> {
        let status = file.metadata().map_err(|error| Error::system(place, &error))?;
        if !status.is_file() {
            return Err(Error::new(libc::EBADMSG, format!("{} is not a file", place)));
        }
        let mut header = SegmentHeader::zeroed();
        let have = read_at(&file, header.bytes_mut(), 0);
        let h = header::checked(header, have, status.len(), place)?;
        let mut text = vec![0; h.descriptor_bytes as usize];
        let described = read_at(&file, &mut text, h.descriptor_offset as u64);
        text.truncate(described);
        let descriptor = Descriptor::parse(text, place)?;
        let has_holes = status.blocks() * 512 < h.total_bytes;
        let map = Mapping::for_reading(&file, h.total_bytes, has_holes);
        let file_name = place.rsplit('/').next().and_then(|name| name.split_once('.')).map_or(place, |(_, stream)| stream);
        Ok(Ring {
            map: map.map_err(|error| Error::system(format!("{}: {} bytes cannot be mapped", place, h.total_bytes), &error))?,
            file,
            name: descriptor.get("name").and_then(|name| name.as_str()).unwrap_or(file_name).to_string(),
            descriptor,
            generation: h.generation,
            slot_count: h.slot_count as u64,
            payload_capacity: h.payload_capacity,
            wakes: h.wake_mode == WAKE_FUTEX,
            writer_start_utc_ns: h.writer_start_utc_ns,
            slots_offset: h.slots_offset as usize, // these fit: they lie in what was mapped
            slot_stride: h.slot_stride as usize,
            fields_offset: h.fields_offset as usize,
            fields_capacity: h.fields_capacity,
            payload_offset: h.payload_offset as usize,
        })
    }

    /// How many of the newest frames can be read: all slots but the one that the writer may be in.
    pub fn window(&self) -> u64 {
        self.slot_count - 1
    }

    pub fn latest(&self) -> u64 {
        self.map.word64(LATEST_AT).load(Ordering::Acquire) // (D)
    }

    pub fn wake(&self) -> u32 {
        self.map.word32(WAKE_AT).load(Ordering::Acquire) // (E)
    }

    pub fn is_retired(&self) -> bool {
        self.map.word32(FLAGS_AT).load(Ordering::Acquire) & FLAG_RETIRED != 0
    }

    /// Whether a writer holds the ring, and its file still has a name.
    pub fn is_held_and_named(&self) -> bool {
        self.file.metadata().map_or(true, |status| status.nlink() > 0) && sys::lock_is_held(&self.file)
    }

    /// Frames of the newest `most`, from the oldest on. What is not whole is left out.
    pub fn newest_frames<'ring>(self: &'ring Arc<Self>, most: u64) -> impl Iterator<Item = Frame> + 'ring {
        let newest = self.latest();
        let first = newest.saturating_sub(most.min(self.window()) - 1).max(1);
        (first..=newest).filter_map(move |sequence| self.read(sequence))
    }

    fn slot(&self, sequence: u64) -> usize {
        self.slots_offset + (sequence % self.slot_count) as usize * self.slot_stride
    }

    /// Whether the slot still holds this frame: nobody has begun to write another one into it. A yes covers all loads before it.
    pub fn still_holds(&self, sequence: u64) -> bool {
        fence(Ordering::Acquire); // (F) an acquire load of begin would let earlier loads of the payload sink below it
        self.map.word64(self.slot(sequence) + BEGIN_AT).load(Ordering::Relaxed) == sequence
    }

    /// Frame `sequence` with copies of its numbers and fields, or None where it is not, or no longer, whole.
    pub fn read(self: &Arc<Self>, sequence: u64) -> Option<Frame> {
        let slot = self.slot(sequence);
        if self.map.word64(slot + END_AT).load(Ordering::Acquire) != sequence {
            return None; // (C)
        }
        let mut head = SlotHeader::zeroed();
        self.map.copy_out(slot, head.bytes_mut());
        let mut fields = vec![0; head.fields_bytes.min(self.fields_capacity) as usize];
        self.map.copy_out(slot + self.fields_offset, &mut fields);
        if !self.still_holds(sequence) {
            return None; // (F')
        }
        if head.payload_bytes > self.payload_capacity || head.fields_bytes > self.fields_capacity || head.dimensions > DIMENSIONS_MAX {
            return None;
        }
        let items = items_of(&head.shape[..head.dimensions as usize])?;
        let bytes = items.checked_mul(self.descriptor.item_bytes().unwrap_or(1))?;
        if head.dimensions > 0 && bytes > head.payload_bytes {
            return None;
        }
        Some(Frame { ring: self.clone(), sequence, missed: 0, head, fields, payload_at: slot + self.payload_offset })
    }

    /// The newest frame; None where there is none yet, or the writer overtook every attempt.
    pub fn read_newest(self: &Arc<Self>) -> Option<Frame> {
        for _ in 0..RETRIES_MAX {
            match self.latest() {
                0 => return None,
                sequence => match self.read(sequence) {
                    None => continue,
                    frame => return frame,
                },
            }
        }
        None
    }
}

/// Reads until `out` is full or the file ends or fails; how many bytes.
pub(crate) fn read_at(file: &File, out: &mut [u8], offset: u64) -> usize {
    let mut have = 0;
    while have < out.len() {
        match file.read_at(&mut out[have..], offset + have as u64) {
            Ok(0) => break,
            Ok(bytes) => have += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
    }
    have
}
