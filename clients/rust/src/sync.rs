//! Frames of several streams that belong together: one set for each frame of the driving stream.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::reader::Reader;
use crate::sync_member::{time_of, Member, SyncMember, LOOK};

/// When a set is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each frame of the driver, in order, once its answer can no longer change. How the streams interleave does not matter:
    /// a replay gives the same sets.
    Reproducible,
    /// The driver's newest frame, answered at once with what the other rings have.
    Available,
}

/// How streams are lined up.
#[derive(Debug, Clone)]
pub struct SyncOptions<'a> {
    /// How far a frame may be from the driver's, ns.
    pub tolerance_ns: u64,
    pub mode: Mode,
    /// One of the streams; None: the slowest by its descriptor's `rate` at the start.
    pub driver: Option<&'a str>,
    /// Of the streams' names; None: `STREAMEM_PREFIX`, else `streamem`.
    pub prefix: Option<&'a str>,
}

impl Default for SyncOptions<'_> {
    /// Reproducible, within 10 ms, driven by the slowest.
    fn default() -> Self {
        SyncOptions { tolerance_ns: 10_000_000, mode: Mode::Reproducible, driver: None, prefix: None }
    }
}

/// Frames that belong together, whole at the moment they are handed out. None is in two sets.
#[derive(Debug, Clone)]
pub struct FrameSet {
    /// Of the driver's frame: its capture, or its publication where that is unknown.
    pub time_ns: u64,
    pub driver: String,
    /// By stream, in the order in which they were named; the driver's too.
    pub members: Vec<(String, Member)>,
}

impl FrameSet {
    /// The frame of a stream; None where there is none here.
    pub fn frame(&self, name: &str) -> Option<&Frame> {
        self.members.iter().find(|(member, _)| member == name)?.1.as_ref().ok()
    }
}

/// Lines streams up in time, and follows restarted writers.
pub struct Sync {
    members: Vec<SyncMember>,
    driver: usize,
    tolerance_ns: u64,
    mode: Mode,
    /// The driver's frame whose set is not decided yet.
    pending: Option<Frame>,
}

impl Sync {
    /// Waits for the driver only, at most `timeout`, None: for ever; a stream that is not there is down until it appears.
    /// Errors: `EINVAL` fewer than two streams, one named twice, a driver that is none of them; `ENOENT` the driver did not
    /// appear; those of [`Reader::open`].
    pub fn open(names: &[&str], options: &SyncOptions<'_>, timeout: impl Into<Option<Duration>>) -> Result<Sync> {
        let refuse = |words: String| Err(Error::new(libc::EINVAL, format!("sync: {}", words)));
        if names.len() < 2 {
            return refuse(format!("at least two streams are lined up, not {:?}", names));
        }
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return refuse(format!("stream {:?} is named twice", twice.1));
        }
        let deadline = Deadline::after(timeout.into());
        let mut members: Vec<SyncMember> = names.iter().map(|name| SyncMember::new(name, options.prefix)).collect();
        let driver = match options.driver {
            Some(driver) => names.iter().position(|name| *name == driver),
            None => Some(slowest(&mut members)?),
        };
        let driver = match driver {
            Some(driver) => driver,
            None => return refuse(format!("the driver {:?} is not one of {:?}", options.driver, names)),
        };
        members[driver].appeared(&deadline)?;
        Ok(Sync { members, driver, tolerance_ns: options.tolerance_ns, mode: options.mode, pending: None })
    }

    /// The next set; None where there was none for `timeout`, None: never. A driver's frame that is overwritten before its set
    /// is decided is dropped and counted as missed: raise the streams' `slots`.
    #[allow(clippy::should_implement_trait)] // as Reader::next
    pub fn next(&mut self, timeout: impl Into<Option<Duration>>) -> Result<Option<FrameSet>> {
        let deadline = Deadline::after(timeout.into());
        loop {
            let left = deadline.left(LOOK);
            let wait = left.unwrap_or(Duration::ZERO);
            let frame = match self.pending.take() {
                None => self.driver_frame(wait)?,
                pending => pending,
            };
            if let Some(frame) = frame {
                self.pending = Some(frame.clone());
                if let Some(set) = self.set_of(frame, wait)?.filter(|set| self.is_whole(set)) {
                    self.give(&set);
                    return Ok(Some(set));
                }
            }
            if left.is_none() {
                return Ok(None);
            }
        }
    }

    /// The stream that drives.
    pub fn driver(&self) -> &str {
        &self.members[self.driver].name
    }

    /// Frames by stream that came into no set because they were overwritten.
    pub fn missed(&self) -> Vec<(&str, u64)> {
        self.members.iter().map(|member| (member.name.as_str(), member.missed())).collect()
    }

    /// The reader of one of the streams, for its state and its descriptor; None where there is no such stream now.
    pub fn reader(&mut self, name: &str) -> Result<Option<&mut Reader>> {
        match self.members.iter_mut().find(|member| member.name == name) {
            Some(member) => member.reader(),
            None => Err(Error::new(libc::EINVAL, format!("sync: {:?} is none of its streams", name))),
        }
    }

    fn driver_frame(&mut self, wait: Duration) -> Result<Option<Frame>> {
        let driver = &mut self.members[self.driver];
        match self.mode {
            Mode::Reproducible => driver.next(wait),
            Mode::Available => Ok(driver.reader()?.and_then(|reader| reader.newest(wait))),
        }
    }

    /// None while it is not decided.
    fn set_of(&mut self, driven: Frame, wait: Duration) -> Result<Option<FrameSet>> {
        let (time_ns, tolerance_ns) = (time_of(&driven), self.tolerance_ns);
        let mut members = Vec::new();
        for (i, member) in self.members.iter_mut().enumerate() {
            let found = match self.mode {
                _ if i == self.driver => Some(Ok(driven.clone())),
                Mode::Reproducible => member.decided(time_ns, tolerance_ns, wait)?,
                Mode::Available => Some(member.available(time_ns, tolerance_ns)?),
            };
            match found {
                Some(found) => members.push((member.name.clone(), found)),
                None => return Ok(None),
            }
        }
        Ok(Some(FrameSet { time_ns, driver: self.driver().to_string(), members }))
    }

    /// Whether no frame was overwritten while others were waited for. Without its driver's frame there is no set.
    fn is_whole(&mut self, set: &FrameSet) -> bool {
        if !self.pending.as_ref().map_or(false, Frame::valid) {
            self.pending = None;
            self.members[self.driver].overwritten += 1;
            return false;
        }
        set.members.iter().all(|(_, member)| member.as_ref().map_or(true, Frame::valid))
    }

    fn give(&mut self, set: &FrameSet) {
        self.pending = None;
        for (i, (_, found)) in set.members.iter().enumerate().filter(|(i, _)| *i != self.driver) {
            match (found, self.mode) {
                (Ok(frame), Mode::Reproducible) => self.members[i].take(frame),
                (Ok(frame), Mode::Available) => self.members[i].give(frame),
                (Err(_), _) => {}
            }
        }
    }
}

/// Of the streams that are there the one with the least nominal rate; of equals, and where none says one, the first.
fn slowest(members: &mut [SyncMember]) -> Result<usize> {
    let mut slowest = (f64::INFINITY, 0);
    for (i, member) in members.iter_mut().enumerate() {
        let rate = member.reader()?.and_then(|reader| reader.descriptor().rate()).unwrap_or(f64::INFINITY);
        if rate < slowest.0 {
            slowest = (rate, i);
        }
    }
    Ok(slowest.1)
}
