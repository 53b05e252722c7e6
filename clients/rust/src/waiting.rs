//! One descriptor for epoll, poll and select, the same for a reader's whole life.
#![allow(unsafe_code)]

use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::bell;
use crate::error::{Error, Result};
use crate::layout::WAKE_AT;
use crate::reader::{Reader, POLL, SLICE};
use crate::ring::Ring;
use crate::sys::{futex_wait, futex_wake, now_ns, result};

/// An epoll that holds a timer, and the doorbell's descriptors or a thread's pipe.
pub(crate) struct Waiting {
    epoll: OwnedFd,
    timer: OwnedFd,
    period: Duration,
    /// The generation is over and its successor awaited.
    hurried: bool,
    cleared_ns: u64,
    source: Source,
}

/// What makes the descriptor readable at a publish.
enum Source {
    /// Only the timer: late, never deaf.
    Timer,
    Bell {
        socket: OwnedFd,
        bell: OwnedFd,
    },
    Ringer(Ringer),
}

impl Waiting {
    fn new() -> Result<Waiting> {
        let failed = |what| move |error| Error::system(what, &error);
        let timer = owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) });
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) });
        let (timer, epoll) = (timer.map_err(failed("timerfd_create"))?, epoll.map_err(failed("epoll_create1"))?);
        let waiting = Waiting { epoll, timer, period: SLICE, hurried: false, cleared_ns: 0, source: Source::Timer };
        waiting.add(&waiting.timer);
        Ok(waiting)
    }

    fn add(&self, fd: &OwnedFd) {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) };
    }

    /// Only the timer is left. Out of the epoll first: the writer's process has the bell too, and while it keeps that open,
    /// closing ours would leave it in, readable for ever.
    fn detach(&mut self) {
        if let Source::Bell { socket, bell } = &self.source {
            for fd in [socket, bell] {
                unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), std::ptr::null_mut()) };
            }
        }
        self.source = Source::Timer; // a ringer's pipe is ours alone
    }

    fn set_period(&mut self, period: Duration) {
        let every = libc::timespec { tv_sec: 0, tv_nsec: period.as_nanos() as _ };
        let times = libc::itimerspec { it_interval: every, it_value: every };
        unsafe { libc::timerfd_settime(self.timer.as_raw_fd(), 0, &times, std::ptr::null_mut()) };
        self.period = period;
    }

    fn start_ringer(&mut self, ring: &Arc<Ring>) {
        if let Ok(ringer) = Ringer::start(ring.clone()) {
            self.add(&ringer.pipe);
            self.source = Source::Ringer(ringer);
        }
    }

    /// Takes out what was rung; whether anything was.
    fn take_rings(&self) -> bool {
        match &self.source {
            Source::Timer => false,
            Source::Bell { bell, .. } => drain(bell),
            Source::Ringer(ringer) => drain(&ringer.pipe),
        }
    }

    fn take_ticks(&mut self) {
        while drain(&self.timer) {
            if self.hurried && self.period * 2 <= SLICE {
                self.set_period(self.period * 2);
            }
        }
    }

    /// Whether the doorbell has hung up: the generation has ended or its writer died.
    fn has_hung_up(&self) -> bool {
        let mut byte = 0u8;
        match &self.source {
            Source::Bell { socket, .. } => unsafe {
                libc::recv(socket.as_raw_fd(), &mut byte as *mut u8 as *mut libc::c_void, 1, libc::MSG_DONTWAIT) == 0
            },
            _ => false,
        }
    }

    /// The generation is over: its successor is mostly a moment away, so look soon, then ever more seldom.
    fn hurry(&mut self, wakes: bool) {
        if !self.hurried && wakes {
            self.hurried = true;
            self.set_period(POLL * 2);
        }
    }
}

impl Reader {
    /// A descriptor that becomes readable when there is something to look at: add it to epoll, poll or select once, it stays
    /// the same for the reader's life and belongs to it. Then call latest, newest or next with no time to wait, which clear
    /// it. It is also readable twice a second for nothing, so that a dead writer and its successor are noticed.
    pub fn fd(&mut self) -> Result<RawFd> {
        if self.waiting.is_none() {
            self.waiting = Some(Waiting::new()?);
            self.attach_fd();
        }
        Ok(self.waiting.as_ref().map_or(-1, |waiting| waiting.epoll.as_raw_fd()))
    }

    pub(crate) fn attach_fd(&mut self) {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            None => return,
        };
        waiting.hurried = false;
        waiting.set_period(if self.ring.wakes { SLICE } else { POLL });
        if !self.ring.wakes {
            return;
        }
        let stated = self.ring.descriptor.get("wake").and_then(|wake| wake.as_str());
        match bell::find(self.place.name(), stated) {
            Some(offer) if offer.generation == self.ring.generation => {
                waiting.add(&offer.socket);
                waiting.add(&offer.bell);
                waiting.source = Source::Bell { socket: offer.socket, bell: offer.bell };
            }
            offer => {
                waiting.start_ringer(&self.ring);
                if offer.is_some() {
                    self.look_soon(); // a successor's: it says nothing of this ring, and the next look goes on to it
                }
            }
        }
    }

    pub(crate) fn detach_fd(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.detach();
        }
    }

    pub(crate) fn hurry_fd(&mut self, retired: bool) {
        if let Some(waiting) = self.waiting.as_mut().filter(|_| retired) {
            waiting.hurry(self.ring.wakes);
        }
    }

    /// Makes the descriptor unreadable before the ring is looked at: what comes later makes it readable again. Timer and
    /// hang-up are looked at when nothing was rung, and once a period of the timer in any case.
    pub(crate) fn clear_fd(&mut self) {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            None => return,
        };
        let (rung, now) = (waiting.take_rings(), now_ns());
        if rung && now - waiting.cleared_ns < waiting.period.as_nanos() as u64 {
            return;
        }
        waiting.cleared_ns = now;
        waiting.take_ticks();
        if waiting.has_hung_up() {
            waiting.detach(); // left open it would be readable for ever
            waiting.start_ringer(&self.ring); // for its last wake-up
            waiting.hurry(self.ring.wakes);
            self.look_soon();
        }
    }
}

/// Without a doorbell: a thread that sleeps on the futex and writes into a pipe.
struct Ringer {
    pipe: OwnedFd,
    ring: Arc<Ring>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ringer {
    fn start(ring: Arc<Ring>) -> std::io::Result<Ringer> {
        let mut ends = [0; 2];
        result(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
        let [pipe, bell] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
        let stop = Arc::new(AtomicBool::new(false));
        let seen = ring.wake(); // here: until the thread runs, a frame may come
        let (its_ring, its_stop) = (ring.clone(), stop.clone());
        let thread = thread::Builder::new().name("streamem".into()).spawn(move || ring_the(bell, its_ring, its_stop, seen))?;
        Ok(Ringer { pipe, ring, stop, thread: Some(thread) })
    }
}

fn ring_the(bell: OwnedFd, ring: Arc<Ring>, stop: Arc<AtomicBool>, mut seen: u32) {
    while !stop.load(Ordering::Acquire) {
        futex_wait(ring.map.word32(WAKE_AT), seen, SLICE);
        let wake = ring.wake();
        if wake != seen {
            unsafe { libc::write(bell.as_raw_fd(), [0u8].as_ptr().cast(), 1) }; // a full pipe is readable already
        }
        seen = wake;
    }
}

impl Drop for Ringer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        while let Some(thread) = self.thread.take() {
            futex_wake(self.ring.map.word32(WAKE_AT)); // a read-only page is enough; others take it as a hint
            if thread.is_finished() {
                let _ = thread.join(); // it does not panic
            } else {
                self.thread = Some(thread); // it may be on its way into the futex, where this wake-up would miss it
                thread::sleep(Duration::from_micros(50));
            }
        }
    }
}

/// Reads until nothing is left; whether there was anything.
fn drain(fd: &OwnedFd) -> bool {
    let mut bytes = [0u8; 64];
    let mut any = false;
    loop {
        let got = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
        any |= got > 0;
        if got < bytes.len() as isize {
            return any; // an eventfd and a timer give 8
        }
    }
}

fn owned(fd: libc::c_int) -> std::io::Result<OwnedFd> {
    result(fd)?;
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
