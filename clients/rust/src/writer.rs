//! The one writer of a stream.

use std::fs::remove_file;
use std::sync::atomic::{fence, Ordering};

use crate::dtype::items_of;
use crate::error::{Error, Result};
use crate::fork::HeldFile;
use crate::frame::Frame;
use crate::layout::*;
use crate::made::Made;
use crate::names::Name;
use crate::owning::{is_at, take_lock};
use crate::reference::{Reference, REFERENCE_BYTES};
use crate::spec::{Plan, Spec};
use crate::sys::{self, now_ns};

/// What the writer says about one frame; `Meta::default()` says nothing. What is unknown is None.
#[derive(Debug, Clone, Default)]
pub struct Meta<'a> {
    /// The device's own ticks.
    pub device_time: Option<u64>,
    /// When the sensor saw it, CLOCK_MONOTONIC ([`now_ns`](crate::now_ns)).
    pub capture_time_ns: Option<u64>,
    pub time_error_ns: Option<u64>,
    pub clock_epoch: u32,
    /// This frame's own shape, where it is not the descriptor's.
    pub shape: Option<&'a [u32]>,
    /// The metadata area as the descriptor's `fields` lays it out; a reference is put into its first 96 bytes.
    pub fields: &'a [u8],
    /// The frame that this one was computed from. Its capture time is this one's too, unless that is given.
    pub refers_to: Option<Reference>,
}

impl Meta<'_> {
    /// Of a result that was computed from `frame`: it refers to it and describes the same instant.
    pub fn result_of(frame: &Frame) -> Meta<'static> {
        Meta {
            capture_time_ns: frame.capture_time_ns(),
            time_error_ns: frame.time_error_ns(),
            clock_epoch: frame.clock_epoch(),
            refers_to: Some(frame.into()),
            ..Meta::default()
        }
    }
}

/// Publishes frames, and never waits for a reader. Dropping it ends the stream; so does the end of the process, which readers
/// then see as a death. Only the process that made it can publish: a forked child gets `EPERM`.
pub struct Writer {
    pub(crate) name: Name,
    pub(crate) plan: Plan,
    pub(crate) group: Option<u32>,
    pub(crate) lock: HeldFile,
    /// None only after an error: another writer has the stream, or an old ring had to give way.
    pub(crate) made: Option<Made>,
    pub(crate) sequence: u64,
    pub(crate) look_at_ns: u64,
}

impl Writer {
    /// Makes the ring of a stream and becomes its one writer, taking over from a dead one. Errors: `EBUSY` another writer
    /// lives, `ENOSPC` too little shared memory, `EINVAL` a spec that cannot be, `EPERM` a file of another user is in the way.
    pub fn create(name: &str, spec: &Spec) -> Result<Writer> {
        let name = Name::new(spec.prefix.as_deref(), name)?;
        let plan = spec.plan(&name.stream)?;
        let lock = take_lock(&name)?;
        let mut writer = Writer { name, plan, group: spec.group, lock, made: None, sequence: 0, look_at_ns: 0 };
        writer.begin()?; // on failure dropping it removes the lock
        Ok(writer)
    }

    /// Publishes a copy of `payload`; its sequence. `EMSGSIZE` where it does not fit, `EINVAL` where it is not as large as its
    /// shape says. Nothing was published then.
    pub fn publish(&mut self, payload: &[u8], meta: &Meta<'_>) -> Result<u64> {
        self.check_size(payload.len())?;
        let (head, fields) = self.head_of(payload.len(), meta)?;
        let slot = self.acquire()?;
        let at = slot.payload_at();
        slot.made().map.copy_in(at, payload);
        Ok(slot.end(head, &fields))
    }

    /// Begins a frame: the slot's own memory, to be filled by any means and then committed. Dropping it gives the frame up.
    pub fn acquire(&mut self) -> Result<Slot<'_>> {
        self.look_after_the_name()?;
        let sequence = self.sequence + 1;
        let made = self.made.as_ref().ok_or_else(|| Error::new(libc::ESTALE, "the stream has no ring: what took it was said before"))?;
        made.map.word64(made.slot(sequence, &self.plan) + BEGIN_AT).store(sequence, Ordering::Relaxed);
        fence(Ordering::Release); // (A) without it payload stores may be seen before begin, and a reader trusts a mixed frame
        streaming_fence(); // (A) for non-temporal stores, which pass an older store as well
        Ok(Slot { writer: self, sequence })
    }

    /// A new generation of the same stream, of another size or type or the same. Sequences start again at 1. After an error
    /// the writer goes on with the generation that it had, unless that had to make room.
    pub fn renew(&mut self, spec: &Spec) -> Result<()> {
        self.check_process()?;
        let plan = spec.plan(&self.name.stream)?;
        let before = std::mem::replace(&mut self.plan, plan);
        self.begin().map_err(|error| {
            self.plan = before;
            error
        })
    }

    /// The stream's name.
    pub fn name(&self) -> &str {
        &self.name.stream
    }

    /// Which ring it writes now.
    pub fn generation(&self) -> [u8; 16] {
        self.made.as_ref().map_or([0; 16], |made| made.generation)
    }

    /// The sequence published last; 0 before the first frame of a generation.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Ends the stream, as dropping it does.
    pub fn close(self) {}

    pub(crate) fn check_process(&self) -> Result<()> {
        if self.lock.is_lost() {
            let words = format!("stream \"{}\" belongs to the parent process: a forked child cannot write it", self.name.stream);
            return Err(Error::new(libc::EPERM, words));
        }
        Ok(())
    }

    fn check_size(&self, bytes: usize) -> Result<()> {
        let (capacity, name) = (self.plan.payload_capacity, &self.name.stream);
        if bytes as u64 <= capacity {
            return Ok(());
        }
        Err(Error::new(libc::EMSGSIZE, format!("stream \"{}\": a frame of {} bytes, its `payloadCapacity` is {}", name, bytes, capacity)))
    }

    /// The slot header and the metadata area of a frame; an error where they contradict the stream.
    fn head_of(&self, bytes: usize, meta: &Meta<'_>) -> Result<(SlotHeader, Vec<u8>)> {
        let plan = &self.plan;
        let refuse = |errno, words: String| Err(Error::new(errno, format!("stream \"{}\": {}", self.name.stream, words)));
        let whole = !plan.is_message && items_of(&plan.shape).and_then(|items| items.checked_mul(plan.item_bytes)) == Some(bytes as u64);
        let length = [(bytes as u64 / plan.item_bytes).min(u32::MAX as u64) as u32];
        let shape = match meta.shape {
            Some(shape) => shape,
            None if whole => &[],
            None if plan.shape.len() == 1 => &length, // the one unknown follows from the size
            None => {
                return refuse(
                    libc::EINVAL,
                    format!("{} bytes are not its shape {:?}; a frame of another shape states it", bytes, plan.shape),
                )
            }
        };
        let needed = items_of(shape).and_then(|items| items.checked_mul(plan.item_bytes));
        if shape.len() > DIMENSIONS_MAX as usize || !shape.is_empty() && needed != Some(bytes as u64) {
            return refuse(libc::EINVAL, format!("{} bytes are not the shape {:?} with items of {} bytes", bytes, shape, plan.item_bytes));
        }
        let mut fields = meta.fields.to_vec();
        if let Some(reference) = &meta.refers_to {
            if !plan.can_refer {
                return refuse(
                    libc::EINVAL,
                    "it cannot refer to a frame: its fields do not begin with those of a reference (Spec::referring)".into(),
                );
            }
            fields.resize(fields.len().max(REFERENCE_BYTES), 0);
            fields[..REFERENCE_BYTES].copy_from_slice(&reference.to_bytes()?);
        }
        if fields.len() > plan.fields_capacity as usize {
            return refuse(libc::EMSGSIZE, format!("{} bytes of fields, there is room for {}", fields.len(), plan.fields_capacity));
        }
        let mut head = SlotHeader::zeroed();
        let captured = meta.capture_time_ns.or_else(|| meta.refers_to.as_ref()?.capture_time_ns);
        head.device_time = meta.device_time.unwrap_or(UNKNOWN);
        head.capture_time_ns = captured.unwrap_or(UNKNOWN);
        head.time_error_ns = meta.time_error_ns.unwrap_or(UNKNOWN);
        head.clock_epoch = meta.clock_epoch;
        head.payload_bytes = bytes as u64;
        head.fields_bytes = fields.len() as u32;
        head.dimensions = shape.len() as u32;
        head.shape[..shape.len()].copy_from_slice(shape);
        Ok((head, fields))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.lock.is_lost() {
            return;
        }
        // The ring before the lock, or it might be the next writer's ring that is unlinked.
        if let Some(made) = &self.made {
            made.retire();
            if is_at(&made.file, &self.name.ring()) {
                let _ = remove_file(self.name.ring());
            }
        }
        if is_at(&self.lock, &self.name.lock()) {
            let _ = remove_file(self.name.lock());
        }
    }
}

/// A frame that is being written, where it will be read.
pub struct Slot<'writer> {
    writer: &'writer mut Writer,
    sequence: u64,
}

impl Slot<'_> {
    fn made(&self) -> &Made {
        self.writer.made.as_ref().expect("acquire() had one")
    }

    fn payload_at(&self) -> usize {
        let made = self.made();
        made.slot(self.sequence, &self.writer.plan) + made.sizes.payload_offset as usize
    }

    /// The payload's memory, as large as the stream's capacity. It holds an older frame's bytes.
    pub fn payload(&mut self) -> &mut [u8] {
        let (at, bytes) = (self.payload_at(), self.writer.plan.payload_capacity as usize);
        self.writer.made.as_mut().expect("acquire() had one").map.bytes_mut(at, bytes)
    }

    /// Publishes the first `bytes` bytes of the payload; its sequence. Errors as of [`Writer::publish`]; the frame is given up then.
    pub fn commit(self, bytes: usize, meta: &Meta<'_>) -> Result<u64> {
        self.writer.check_size(bytes)?;
        let (head, fields) = self.writer.head_of(bytes, meta)?;
        Ok(self.end(head, &fields))
    }

    fn end(self, mut head: SlotHeader, fields: &[u8]) -> u64 {
        streaming_fence(); // (B) non-temporal stores of the payload are out before end
        let (made, sequence) = (self.made(), self.sequence);
        let (map, slot) = (&made.map, made.slot(sequence, &self.writer.plan));
        head.publish_utc_ns = sys::utc_ns();
        head.publish_time_ns = now_ns();
        map.copy_in(slot + END_AT + 8, &head.bytes()[END_AT + 8..]);
        map.copy_in(slot + made.sizes.fields_offset as usize, fields);
        map.word64(slot + END_AT).store(sequence, Ordering::Release); // (C)
        map.word64(LATEST_AT).store(sequence, Ordering::Release); // (D)
        let wake = map.word32(WAKE_AT);
        wake.store(wake.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release); // (E)
        sys::futex_wake(wake);
        self.writer.sequence = sequence;
        sequence
    }
}

/// Orders streaming stores, on x86-64, with all others; elsewhere the release that follows covers them.
#[allow(unsafe_code)]
fn streaming_fence() {
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::x86_64::_mm_sfence()
    };
}
