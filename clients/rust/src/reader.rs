//! A reader of one stream, which follows it from writer to writer.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::layout::WAKE_AT;
use crate::names::Name;
use crate::place::Place;
use crate::ring::{read_at, Ring};
use crate::stack::History;
use crate::sys::{futex_wait, lock_is_held, now_ns, utc_ns};
use crate::waiting::Waiting;

pub(crate) const SLICE: Duration = Duration::from_millis(500);
pub(crate) const POLL: Duration = Duration::from_millis(2);

/// Whether a stream can be trusted to be of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Live,
    /// Its writer lives, but the newest frame is older than 2 s and than 5 periods of the nominal rate.
    Stalled,
    /// Its writer is gone without a word.
    Dead,
    /// Its writer ended it, and no successor is there yet.
    Retired,
}

/// Reads one stream. It never disturbs the writer, sees all of a frame or nothing, and goes on to the successor when the
/// writer is restarted. Belongs to one thread at a time.
pub struct Reader {
    pub(crate) ring: Arc<Ring>,
    pub(crate) place: Place,
    /// The sequence given last in this generation.
    pub(crate) given: u64,
    /// Frames of the generation before that nobody will get.
    carried: u64,
    missed: u64,
    /// A frame was given, in this generation or before.
    started: bool,
    looked_ns: u64,
    pub(crate) history: Option<History>,
    pub(crate) waiting: Option<Waiting>,
}

impl Reader {
    /// Opens a stream by its name, or, if that contains a slash, by a ring's path. Waits for it to appear for at most
    /// `timeout`, None: for ever. Errors: `ENOENT` not there, `EBADMSG` no ring or a damaged one, `EPROTO` another layout
    /// version, `EACCES` not for this user.
    pub fn open(name: &str, timeout: impl Into<Option<Duration>>) -> Result<Reader> {
        Reader::open_in(None, name, timeout)
    }

    /// The same under a prefix; None: that of `STREAMEM_PREFIX`, else `streamem`.
    pub fn open_in(prefix: Option<&str>, name: &str, timeout: impl Into<Option<Duration>>) -> Result<Reader> {
        let place = if name.contains('/') { Place::Path(name.to_string()) } else { Place::Name(Name::new(prefix, name)?) };
        let deadline = Deadline::after(timeout.into());
        loop {
            let error = match place.open(None).and_then(|file| Ring::open(file, &place.path())) {
                Ok(ring) => return Ok(Reader::of(ring, place)),
                Err(error) => error,
            };
            if error.errno() != libc::ENOENT || deadline.left(POLL * 5).is_none() {
                return Err(error); // all but a missing file does not mend itself
            }
            sleep(POLL * 5);
        }
    }

    fn of(ring: Ring, place: Place) -> Reader {
        let ring = Arc::new(ring);
        let looked_ns = now_ns();
        Reader { ring, place, given: 0, carried: 0, missed: 0, started: false, looked_ns, history: None, waiting: None }
    }

    /// The newest frame, or None where there is none yet. Never waits, may repeat.
    pub fn latest(&mut self) -> Option<Frame> {
        self.clear_fd();
        self.follow(None);
        let frame = self.ring.read_newest()?;
        Some(self.give(frame))
    }

    /// The newest frame not given yet; waits for it at most `timeout`, None: for ever.
    pub fn newest(&mut self, timeout: impl Into<Option<Duration>>) -> Option<Frame> {
        self.follow(None);
        self.take(timeout.into(), false)
    }

    /// The frame after the one given last, at first the newest; waits for it at most `timeout`, None: for ever. Where the
    /// writer has overtaken this reader it goes on at the newest, and [`Frame::missed`] counts the rest. What is left of a
    /// generation that has ended comes before its successor.
    #[allow(clippy::should_implement_trait)] // the verb of all clients; frames() is the iterator
    pub fn next(&mut self, timeout: impl Into<Option<Duration>>) -> Option<Frame> {
        self.take(timeout.into(), true)
    }

    /// Each frame in order; ends when none came for `timeout`, None: never.
    pub fn frames(&mut self, timeout: impl Into<Option<Duration>>) -> impl Iterator<Item = Frame> + '_ {
        let timeout = timeout.into();
        std::iter::from_fn(move || self.take(timeout, true))
    }

    /// The newest `n` frames that are still in the ring, oldest first. An error (`ERANGE`) where `n` is 0 or more than
    /// slots - 1.
    pub fn last(&mut self, n: usize) -> Result<Vec<Frame>> {
        self.follow(None);
        let window = self.ring.window();
        if n == 0 || n as u64 > window {
            let words =
                format!("stream {}: last({}), allowed are 1 to {}: the stream's `slots` setting makes it more", self.ring.name, n, window);
            return Err(Error::new(libc::ERANGE, words));
        }
        Ok(self.ring.newest_frames(n as u64).collect())
    }

    /// The frame whose capture time is nearest to `time_ns` on CLOCK_MONOTONIC, of two as near the newer. Frames whose
    /// capture time is not known do not count.
    pub fn nearest(&mut self, time_ns: u64) -> Option<Frame> {
        self.follow(None);
        let timed = self.ring.newest_frames(u64::MAX).filter(|frame| frame.capture_time_ns().is_some());
        timed.fold(None, |best: Option<Frame>, frame| {
            let distance = |frame: &Frame| frame.head.capture_time_ns.abs_diff(time_ns);
            match best {
                Some(best) if distance(&best) < distance(&frame) => Some(best),
                _ => Some(frame),
            }
        })
    }

    /// Whether what is read here is of now.
    pub fn state(&mut self) -> State {
        self.follow(self.started.then_some(self.given)); // asking must not cost a frame
        let ring = &self.ring;
        if ring.is_retired() {
            return State::Retired;
        }
        if !lock_is_held(&ring.file) {
            return State::Dead;
        }
        let rate = match ring.descriptor.rate() {
            Some(rate) => rate,
            None => return State::Live,
        };
        let (now, last) = match ring.read_newest() {
            Some(frame) => (now_ns(), frame.publish_time_ns()),
            None if ring.latest() == 0 => (utc_ns(), ring.writer_start_utc_ns),
            None => return State::Live, // it overtook us
        };
        let limit_ns = (5e9 / rate).max(2e9);
        if now.saturating_sub(last) as f64 > limit_ns {
            return State::Stalled;
        }
        State::Live
    }

    /// What the generation that is read now says about itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.ring.descriptor
    }

    /// Which ring is read now.
    pub fn generation(&self) -> [u8; 16] {
        self.ring.generation
    }

    /// Frames that were published and not given to this reader since its first one, in all.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Ends the reader, as dropping it does. Frames that are held stay readable.
    pub fn close(self) {}

    pub(crate) fn give(&mut self, mut frame: Frame) -> Frame {
        if frame.sequence <= self.given {
            return frame; // latest() may repeat
        }
        let before = std::mem::replace(&mut self.given, frame.sequence);
        if self.started {
            frame.missed = (frame.sequence - before - 1).saturating_add(self.carried);
        }
        self.carried = 0;
        self.started = true;
        self.missed = self.missed.saturating_add(frame.missed);
        if let Some(history) = &mut self.history {
            history.push(&frame);
        }
        frame
    }

    fn take(&mut self, timeout: Option<Duration>, in_order: bool) -> Option<Frame> {
        let deadline = Deadline::after(timeout);
        self.clear_fd();
        loop {
            let wake = self.ring.wake(); // (E) before latest, or a frame between the two is slept through
            let newest = self.ring.latest();
            if newest > self.given {
                let after = self.given + 1;
                let reachable = in_order && self.started && newest - after < self.ring.window();
                let frame = if reachable { self.ring.read(after) } else { None };
                if let Some(frame) = frame.or_else(|| self.ring.read_newest()) {
                    return Some(self.give(frame));
                }
            }
            if self.follow(Some(newest)) {
                continue;
            }
            self.wait(wake, &deadline)?;
        }
    }

    /// Sleeps until the wake word is another one, or a slice of time has passed; None when the deadline has.
    fn wait(&self, wake: u32, deadline: &Deadline) -> Option<()> {
        let retired = self.ring.is_retired(); // then the successor comes in milliseconds
        let slice = match (self.ring.wakes, retired) {
            (false, _) => POLL,
            (true, true) => POLL * 5,
            (true, false) => SLICE,
        };
        let slice = deadline.left(slice)?;
        if self.ring.wakes && !retired {
            futex_wait(self.ring.map.word32(WAKE_AT), wake, slice);
        } else {
            sleep(slice);
        }
        Some(())
    }

    /// Goes on to the successor if this generation is over and there is one. Looks every 500 ms, and every 2 ms once the
    /// generation has retired. `drained` is the newest sequence that the caller has dealt with, None where what is left does
    /// not matter: what was published between his look and the end comes first. True when there is something to look at.
    pub(crate) fn follow(&mut self, drained: Option<u64>) -> bool {
        let now = now_ns();
        let retired = self.ring.is_retired();
        let pause = if retired { POLL } else { SLICE };
        if now.saturating_sub(self.looked_ns) < pause.as_nanos() as u64 {
            return false;
        }
        self.looked_ns = now;
        if !retired && self.ring.is_held_and_named() {
            return false;
        }
        let successor = match self.open_successor() {
            Some(ring) => ring,
            None => {
                self.hurry_fd(retired);
                return false;
            }
        };
        let newest = self.ring.latest(); // for good: its writer is gone
        if drained.map_or(false, |drained| drained != newest) {
            return true;
        }
        if self.started {
            self.carried = self.carried.saturating_add(newest.saturating_sub(self.given));
            // a hostile ring's numbers may be any
        }
        self.given = 0;
        self.detach_fd();
        self.ring = Arc::new(successor);
        if let Some(history) = &mut self.history {
            history.clear(); // one stack never mixes two generations
        }
        self.attach_fd();
        true
    }

    /// What now stands under the name, unless that is what we have.
    fn open_successor(&self) -> Option<Ring> {
        let file = self.place.open(self.ring.descriptor.get("wake").and_then(|wake| wake.as_str())).ok()?;
        let mut generation = [0; 16];
        if read_at(&file, &mut generation, 24) == 16 && generation == self.ring.generation {
            return None;
        }
        Ring::open(file, &self.place.path()).ok()
    }

    /// Looks at the ring's health at the next call, whenever the last look was.
    pub(crate) fn look_soon(&mut self) {
        self.looked_ns = 0;
    }
}
