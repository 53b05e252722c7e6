//! The newest frames that a reader has taken, as copies.

use std::collections::VecDeque;

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::reader::Reader;

/// Frames of equal size, oldest first, one behind the other in `data`: an array of shape (n, ...).
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    pub data: Vec<u8>,
    pub sequences: Vec<u64>,
    pub shape: Vec<u32>,
}

/// What a reader keeps for stack().
pub(crate) struct History {
    length: usize,
    frame_bytes: usize,
    shape: Vec<u32>,
    copies: VecDeque<(u64, Vec<u8>)>,
}

impl History {
    fn new(length: usize, newest: &Frame) -> History {
        History { length, frame_bytes: newest.data().len(), shape: newest.shape().to_vec(), copies: VecDeque::new() }
    }

    fn fits(&self, length: usize, frame: &Frame) -> bool {
        length <= self.length && frame.data().len() == self.frame_bytes && frame.shape() == &self.shape[..]
    }

    pub fn push(&mut self, frame: &Frame) {
        let known = self.copies.back().map_or(false, |(sequence, _)| *sequence >= frame.sequence());
        if known || !self.fits(0, frame) {
            return;
        }
        let mut room = if self.copies.len() == self.length { self.copies.pop_front() } else { None };
        let room = room.get_or_insert_with(|| (0, vec![0; self.frame_bytes]));
        if frame.copy_into(&mut room.1).is_ok() {
            self.copies.push_back((frame.sequence(), std::mem::take(&mut room.1)));
        }
    }

    pub fn clear(&mut self) {
        self.copies.clear();
    }
}

impl Reader {
    /// The newest `n` frames that this reader has taken, as one array of checked copies, oldest first; takes the newest frame.
    /// The first call fills from the ring as far as that goes, slots - 1; beyond that it fills as frames are taken. Fewer
    /// than `n` where there are not so many yet; frames of another size or shape than the newest one are left out.
    pub fn stack(&mut self, n: usize) -> Result<Stack> {
        if n == 0 {
            return Err(Error::new(libc::EINVAL, "stack(0): allowed are 1 and more"));
        }
        let newest = match self.latest() {
            Some(frame) => frame,
            None => return Ok(Stack { data: Vec::new(), sequences: Vec::new(), shape: Vec::new() }),
        };
        if !self.history.as_ref().map_or(false, |history| history.fits(n, &newest)) {
            let mut history = History::new(n, &newest);
            self.ring.newest_frames(n as u64).filter(|frame| frame.sequence() <= newest.sequence()).for_each(|frame| history.push(&frame));
            self.history = Some(history);
        }
        let history = self.history.as_ref().expect("it was just made");
        let from = history.copies.len().saturating_sub(n);
        let mut data = Vec::new();
        let bytes = (history.copies.len() - from) * history.frame_bytes;
        data.try_reserve_exact(bytes).map_err(|_| Error::new(libc::ENOMEM, format!("no memory for a stack of {} bytes", bytes)))?;
        let (mut sequences, copies) = (Vec::new(), history.copies.iter().skip(from));
        for (sequence, copy) in copies {
            data.extend_from_slice(copy);
            sequences.push(*sequence);
        }
        Ok(Stack { data, sequences, shape: history.shape.clone() })
    }
}
