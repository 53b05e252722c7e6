//! A message says which frame it was computed from: `native/LAYOUT.md`, message streams.

use crate::dtype::Field;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::layout::UNKNOWN;
use crate::names::is_stream_name;

/// A frame by its stream's name, the generation of its ring, its sequence, and its capture time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub stream: String,
    pub generation: [u8; 16],
    pub sequence: u64,
    pub capture_time_ns: Option<u64>,
}

pub(crate) const REFERENCE_BYTES: usize = 96;

/// One of the four fields that stand first where frames refer to others.
pub(crate) struct OwnField {
    pub name: &'static str,
    pub dtype: &'static str,
    pub shape: &'static [u32],
    pub unit: Option<&'static str>,
    offset: usize,
    end: usize,
}

pub(crate) const REFERENCE_FIELDS: [OwnField; 4] = [
    OwnField { name: "refers_to_sequence", dtype: "<u8", shape: &[], unit: None, offset: 0, end: 8 },
    OwnField { name: "refers_to_capture_time_ns", dtype: "<u8", shape: &[], unit: Some("ns"), offset: 8, end: 16 },
    OwnField { name: "refers_to_generation", dtype: "|u1", shape: &[16], unit: None, offset: 16, end: 32 },
    OwnField { name: "refers_to_stream", dtype: "|u1", shape: &[64], unit: None, offset: 32, end: REFERENCE_BYTES },
];

/// Whether the four are among a descriptor's fields, at their places.
pub(crate) fn can_refer(fields: &[Field]) -> bool {
    let is_own = |own: &OwnField, field: &Field| (own.name, own.offset, own.end) == (&field.name[..], field.offset, field.end);
    REFERENCE_FIELDS.iter().all(|own| fields.iter().any(|field| is_own(own, field)))
}

impl Reference {
    /// What stands in a metadata area; None for whatever is no reference, which is no error.
    pub(crate) fn read(area: &[u8]) -> Option<Reference> {
        let area = area.get(..REFERENCE_BYTES)?;
        let word = |at: usize| area[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | *byte as u64);
        let mut generation = [0; 16];
        generation.copy_from_slice(&area[16..32]);
        let stream = std::str::from_utf8(&area[32..]).ok()?.trim_end_matches('\0');
        let capture_time_ns = Some(word(8)).filter(|time| *time != UNKNOWN);
        let sequence = Some(word(0)).filter(|sequence| *sequence != 0 && is_stream_name(stream))?;
        Some(Reference { stream: stream.to_string(), generation, sequence, capture_time_ns })
    }

    pub(crate) fn to_bytes(&self) -> Result<[u8; REFERENCE_BYTES]> {
        if !is_stream_name(&self.stream) || self.sequence == 0 {
            return Err(Error::new(libc::EINVAL, format!("{:?} refers to no frame that can be: a stream's name, a sequence from 1", self)));
        }
        let mut area = [0; REFERENCE_BYTES];
        area[..8].copy_from_slice(&self.sequence.to_le_bytes());
        area[8..16].copy_from_slice(&self.capture_time_ns.unwrap_or(UNKNOWN).to_le_bytes());
        area[16..32].copy_from_slice(&self.generation);
        area[32..32 + self.stream.len()].copy_from_slice(self.stream.as_bytes());
        Ok(area)
    }
}

impl From<&Frame> for Reference {
    fn from(frame: &Frame) -> Reference {
        Reference {
            stream: frame.stream().to_string(),
            generation: frame.generation(),
            sequence: frame.sequence(),
            capture_time_ns: frame.capture_time_ns(),
        }
    }
}

impl Frame {
    /// The frame that this one was computed from; None where it names none.
    pub fn refers_to(&self) -> Option<Reference> {
        can_refer(self.ring.descriptor.fields()).then(|| Reference::read(&self.fields))?
    }
}
