//! One of the streams that a sync lines up: opened when it appears, its frames taken in order and kept while they may be
//! of use. The two modes ask it for the frame that belongs to an instant.

use std::collections::VecDeque;
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::reader::{Reader, State};

/// Why a stream has no frame in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It has nothing as late as the instant yet; in mode available alone.
    TooEarly,
    /// Its first frame that can be had is after the instant.
    TooLate,
    /// Frames before and after, none near enough, or the near one was given already.
    Gap,
    /// Its writer is gone, or there is no such stream.
    StreamDown,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::TooEarly => "too early",
            Missing::TooLate => "too late",
            Missing::Gap => "gap",
            Missing::StreamDown => "stream down",
        })
    }
}

/// A frame, or why there is none.
pub type Member = std::result::Result<Frame, Missing>;

/// How often to look for a stream that is not there.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// A writer that restarts is no hole: a successor comes sooner than this.
const DOWN: Duration = Duration::from_millis(250);

/// When a frame was: its capture, unless that is unknown or a broken clock put it after its publication.
pub(crate) fn time_of(frame: &Frame) -> u64 {
    frame.capture_time_ns().filter(|time| *time <= frame.publish_time_ns()).unwrap_or(frame.publish_time_ns())
}

pub(crate) struct SyncMember {
    pub name: String,
    prefix: Option<String>,
    reader: Option<Reader>,
    looked: Option<Instant>,
    down_since: Option<Instant>,
    /// The last frame passed and not yet given.
    before: Option<Frame>,
    /// The next one, not consumed.
    after: Option<Frame>,
    passed: bool,
    /// Frames that were overwritten while they waited here.
    pub overwritten: u64,
    /// Generation and sequence of those given in mode available, as far back as the ring goes.
    given: VecDeque<([u8; 16], u64)>,
}

impl SyncMember {
    pub fn new(name: &str, prefix: Option<&str>) -> SyncMember {
        let (name, prefix) = (name.to_string(), prefix.map(str::to_string));
        let (reader, looked, down_since, before, after) = (None, None, None, None, None);
        SyncMember { name, prefix, reader, looked, down_since, before, after, passed: false, overwritten: 0, given: VecDeque::new() }
    }

    /// The stream's reader, if there is such a stream now.
    pub fn reader(&mut self) -> Result<Option<&mut Reader>> {
        let due = self.looked.map_or(true, |looked| looked.elapsed() >= LOOK);
        if self.reader.is_none() && due {
            self.looked = Some(Instant::now());
            match Reader::open_in(self.prefix.as_deref(), &self.name, Duration::ZERO) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) if error.errno() == libc::ENOENT => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.reader.as_mut())
    }

    /// Waits until there is such a stream; `ENOENT` when there is none in time.
    pub fn appeared(&mut self, deadline: &Deadline) -> Result<()> {
        while self.reader()?.is_none() {
            let left = deadline.left(LOOK);
            sleep(left.ok_or_else(|| Error::new(libc::ENOENT, format!("sync: there is no stream \"{}\"", self.name)))?);
        }
        Ok(())
    }

    /// Frames of the stream that came into no set because they were overwritten.
    pub fn missed(&self) -> u64 {
        self.overwritten + self.reader.as_ref().map_or(0, Reader::missed)
    }

    /// The frame after the last one.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Frame>> {
        if let Some(reader) = self.reader()? {
            return Ok(reader.next(wait));
        }
        sleep(wait.min(LOOK));
        Ok(None)
    }

    /// Whether it has been dead, or retired without a successor, for `least`, or is not there at all.
    fn is_down(&mut self, least: Duration) -> bool {
        let state = self.reader.as_mut().map(Reader::state);
        if !matches!(state, None | Some(State::Dead | State::Retired)) {
            self.down_since = None;
            return false;
        }
        let since = *self.down_since.get_or_insert_with(Instant::now);
        state.is_none() || since.elapsed() >= least
    }

    /// Mode reproducible: the answer that no later frame can change, or None where there is none within `wait`. Asking again
    /// with the same instant goes on where it was.
    pub fn decided(&mut self, time_ns: u64, tolerance_ns: u64, wait: Duration) -> Result<Option<Member>> {
        loop {
            if !self.reach(time_ns, Duration::ZERO)? {
                let down = self.is_down(DOWN); // before the last look: what was published until then comes first
                let reached = self.reach(time_ns, if down { Duration::ZERO } else { wait })?;
                if !reached && !down {
                    return Ok(None);
                }
            }
            if !self.drop_overwritten() {
                return Ok(Some(self.nearer(time_ns, tolerance_ns)));
            }
        }
    }

    /// Passes all frames before the instant; whether one at or after it is known.
    fn reach(&mut self, time_ns: u64, wait: Duration) -> Result<bool> {
        loop {
            let next = match self.after.take() {
                None => self.next(wait)?,
                known => known,
            };
            match next {
                None => return Ok(false),
                Some(frame) if time_of(&frame) >= time_ns => {
                    self.after = Some(frame);
                    return Ok(true);
                }
                passed => self.before = passed,
            }
            self.passed = true;
        }
    }

    /// Of the two frames around the instant the nearer, of two as near the earlier.
    fn nearer(&self, time_ns: u64, tolerance_ns: u64) -> Member {
        let near = |frame: &&Frame| time_of(frame).abs_diff(time_ns) <= tolerance_ns;
        let around = [&self.before, &self.after].into_iter().flatten().filter(near);
        let nearest = around.min_by_key(|frame| time_of(frame).abs_diff(time_ns)); // the first of equals
        nearest.cloned().ok_or(match (&self.after, self.passed) {
            (None, _) => Missing::StreamDown,
            (Some(_), true) => Missing::Gap,
            (Some(_), false) => Missing::TooLate,
        })
    }

    /// One that was overwritten while it waited counts as never come; whether there was one.
    fn drop_overwritten(&mut self) -> bool {
        let mut any = false;
        for waiting in [&mut self.before, &mut self.after] {
            if waiting.as_ref().map_or(false, |frame| !frame.valid()) {
                *waiting = None;
                self.overwritten += 1;
                any = true;
            }
        }
        any
    }

    /// Mode reproducible: the frame is given and belongs to no other set.
    pub fn take(&mut self, given: &Frame) {
        let is_given = |frame: &Frame| (frame.generation(), frame.sequence()) == (given.generation(), given.sequence());
        if self.after.as_ref().map_or(false, is_given) {
            self.after = None;
            self.passed = true;
            self.before = None;
        } else if self.before.as_ref().map_or(false, is_given) {
            self.before = None;
        }
    }

    /// Mode available: by what is in the ring now.
    pub fn available(&mut self, time_ns: u64, tolerance_ns: u64) -> Result<Member> {
        let frames = match self.reader()? {
            Some(reader) => {
                reader.follow(None);
                newest_back(reader, time_ns.saturating_sub(tolerance_ns))
            }
            None => Vec::new(),
        };
        let free = |frame: &&Frame| !self.given.contains(&(frame.generation(), frame.sequence()));
        let near = |frame: &&Frame| time_of(frame).abs_diff(time_ns) <= tolerance_ns;
        if let Some(best) = frames.iter().filter(near).filter(free).min_by_key(|frame| time_of(frame).abs_diff(time_ns)) {
            return Ok(Ok(best.clone()));
        }
        if self.is_down(Duration::ZERO) {
            return Ok(Err(Missing::StreamDown));
        }
        Ok(Err(match (frames.first(), frames.last()) {
            (Some(oldest), _) if time_of(oldest) > time_ns.saturating_add(tolerance_ns) => Missing::TooLate,
            (_, Some(newest)) if time_of(newest).saturating_add(tolerance_ns) >= time_ns => Missing::Gap,
            _ => Missing::TooEarly,
        }))
    }

    /// Mode available: the frame is given and belongs to no other set.
    pub fn give(&mut self, frame: &Frame) {
        self.given.push_back((frame.generation(), frame.sequence()));
        while self.given.len() as u64 > frame.ring.slot_count {
            self.given.pop_front();
        }
    }
}

/// The ring's frames, oldest first, as far back as one before `from_ns`, or all: most of a long ring is of no use.
fn newest_back(reader: &Reader, from_ns: u64) -> Vec<Frame> {
    let ring = &reader.ring;
    let mut frames: Vec<Frame> = Vec::new();
    let newest = ring.latest();
    for sequence in (newest.saturating_sub(ring.window() - 1).max(1)..=newest).rev() {
        frames.extend(ring.read(sequence));
        if frames.last().map_or(false, |frame| time_of(frame) < from_ns) {
            break;
        }
    }
    frames.reverse();
    frames
}
