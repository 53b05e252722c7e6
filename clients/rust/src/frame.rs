//! One frame: its numbers and fields are copies, its payload is a view into the ring.

use std::sync::Arc;

use crate::array::{Array, Item};
use crate::dtype::Value;
use crate::error::{Error, Result};
use crate::layout::{SlotHeader, UNKNOWN};
use crate::ring::Ring;
use crate::sys;

/// One whole frame of a stream. The writer overwrites its payload slots - 1 publishes later: ask [`Frame::valid`] after the
/// last use of a view, or take [`Frame::copy`]. The frame keeps its mapping, also when its reader has gone on or is closed.
#[derive(Clone)]
pub struct Frame {
    pub(crate) ring: Arc<Ring>,
    pub(crate) sequence: u64,
    pub(crate) missed: u64,
    pub(crate) head: SlotHeader,
    pub(crate) fields: Vec<u8>,
    pub(crate) payload_at: usize,
}

fn known(time: u64) -> Option<u64> {
    (time != UNKNOWN).then_some(time)
}

impl Frame {
    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.ring.name
    }

    /// Which ring it came from. Sequences of two generations do not compare.
    pub fn generation(&self) -> [u8; 16] {
        self.ring.generation
    }

    /// From 1 in each generation, without gaps.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Frames published between the one given before and this one.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The device's own ticks; the descriptor's `clock` names their unit.
    pub fn device_time(&self) -> Option<u64> {
        known(self.head.device_time)
    }

    /// When the sensor saw it, CLOCK_MONOTONIC, ns.
    pub fn capture_time_ns(&self) -> Option<u64> {
        known(self.head.capture_time_ns)
    }

    /// Bound of the error of the capture time, ns.
    pub fn time_error_ns(&self) -> Option<u64> {
        known(self.head.time_error_ns)
    }

    /// When it became readable, CLOCK_MONOTONIC, ns.
    pub fn publish_time_ns(&self) -> u64 {
        self.head.publish_time_ns
    }

    /// The same instant on CLOCK_REALTIME, ns since 1970.
    pub fn publish_utc_ns(&self) -> u64 {
        self.head.publish_utc_ns
    }

    /// Grows when the device's clock was reset.
    pub fn clock_epoch(&self) -> u32 {
        self.head.clock_epoch
    }

    /// ns since it was captured; since it was published where the capture time is unknown.
    pub fn age_ns(&self) -> i64 {
        sys::now_ns().wrapping_sub(self.capture_time_ns().unwrap_or(self.head.publish_time_ns)) as i64
    }

    /// How many dimensions the frame itself states; 0 where the descriptor's shape holds.
    pub fn dimensions(&self) -> usize {
        self.head.dimensions as usize
    }

    /// In C order: its own, else the descriptor's; empty where neither says one.
    pub fn shape(&self) -> &[u32] {
        match self.dimensions() {
            0 => self.ring.descriptor.shape().unwrap_or_default(),
            dimensions => &self.head.shape[..dimensions],
        }
    }

    /// The payload, no copy.
    pub fn data(&self) -> View<'_> {
        View { frame: self, bytes: self.head.payload_bytes as usize }
    }

    /// The payload as an array of its shape, no copy. An error where the descriptor's dtype is not `T`, or the payload
    /// has fewer bytes than its shape needs.
    pub fn array<T: Item>(&self) -> Result<Array<'_, T>> {
        Array::new(self)
    }

    /// Whether views of it are still whole. A yes covers everything that was read from them before it.
    pub fn valid(&self) -> bool {
        self.ring.still_holds(self.sequence)
    }

    /// An owned copy of the payload, checked: [`Error::is_lapped`] where the frame was overwritten first.
    pub fn copy(&self) -> Result<Vec<u8>> {
        let bytes = self.head.payload_bytes as usize;
        let copy = self.ring.map.to_vec(self.payload_at, bytes);
        let copy = copy.ok_or_else(|| Error::new(libc::ENOMEM, format!("no memory for a copy of {} bytes", bytes)))?;
        self.checked(copy)
    }

    /// The same into the caller's memory, without an allocation; how many bytes. After an error `out` holds rubbish.
    pub fn copy_into(&self, out: &mut [u8]) -> Result<usize> {
        let (bytes, room) = (self.head.payload_bytes as usize, out.len());
        let words = || format!("stream {}: frame {} has {} bytes, the room for it {}", self.stream(), self.sequence, bytes, room);
        let out = out.get_mut(..bytes).ok_or_else(|| Error::new(libc::ENOSPC, words()))?;
        self.ring.map.copy_out(self.payload_at, out);
        self.checked(bytes)
    }

    /// A message's text: a checked copy, of `json` and `utf8` streams. An error where it is not UTF-8.
    pub fn text(&self) -> Result<String> {
        let words = |error| Error::new(libc::EBADMSG, format!("stream {}: frame {} is not UTF-8: {}", self.stream(), self.sequence, error));
        String::from_utf8(self.copy()?).map_err(words)
    }

    fn checked<T>(&self, copied: T) -> Result<T> {
        match self.valid() {
            true => Ok(copied),
            false => Err(Error::new(
                libc::ESTALE,
                "the frame was overwritten before it was copied: take a newer one, copy sooner, or give the stream more slots",
            )),
        }
    }

    /// The bytes of the metadata area that this frame uses.
    pub fn fields_data(&self) -> &[u8] {
        &self.fields
    }

    /// The value of one field of the descriptor's `fields`; None where this frame does not have it.
    pub fn field(&self, name: &str) -> Option<Value> {
        let field = self.ring.descriptor.fields().iter().find(|field| field.name == name)?;
        (field.end <= self.fields.len()).then(|| field.read(&self.fields))
    }

    /// Every field that this frame has, in the descriptor's order.
    pub fn fields(&self) -> Vec<(&str, Value)> {
        let fields = self.ring.descriptor.fields().iter();
        fields.filter(|field| field.end <= self.fields.len()).map(|field| (field.name.as_str(), field.read(&self.fields))).collect()
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} {} {:?})", self.stream(), self.sequence, self.shape())
    }
}

/// A frame's payload where it lies. Not a slice, since the writer may change it while it is read: each load goes to the
/// memory anew. What was read counts only if [`Frame::valid`] says so afterwards.
#[derive(Clone, Copy)]
pub struct View<'frame> {
    frame: &'frame Frame,
    bytes: usize,
}

impl<'frame> View<'frame> {
    /// Bytes of the payload.
    pub fn len(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// N bytes at `offset`, for instance for `u64::from_le_bytes`; None behind the end.
    pub fn load<const BYTES: usize>(&self, offset: usize) -> Option<[u8; BYTES]> {
        let ends = offset.checked_add(BYTES)?;
        (ends <= self.bytes).then(|| self.frame.ring.map.load(self.frame.payload_at + offset))
    }

    /// The bytes one after the other.
    pub fn iter(&self) -> impl Iterator<Item = u8> + 'frame {
        let (map, start) = (&self.frame.ring.map, self.frame.payload_at);
        (start..start + self.bytes).map(move |at| map.load::<1>(at)[0])
    }

    /// The address, for libraries of other languages: `len()` bytes, mapped read-only for as long as the frame is held.
    pub fn as_ptr(&self) -> *const u8 {
        self.frame.ring.map.pointer(self.frame.payload_at, self.bytes)
    }
}
