//! The system calls that the standard library has no word for.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::unix::io::AsRawFd;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// CLOCK_MONOTONIC in ns: the clock of capture and publish times.
pub fn now_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

pub(crate) fn utc_ns() -> u64 {
    clock_ns(libc::CLOCK_REALTIME)
}

pub(crate) fn user() -> u32 {
    unsafe { libc::geteuid() }
}

/// Sleeps while the word is `seen`. Not FUTEX_PRIVATE: the word is shared between processes. May end for no reason.
pub(crate) fn futex_wait(word: &AtomicU32, seen: u32, time: Duration) {
    let limit = libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ };
    let nobody = std::ptr::null::<u32>();
    unsafe { libc::syscall(libc::SYS_futex, word as *const AtomicU32, libc::FUTEX_WAIT, seen, &limit, nobody, 0) };
}

pub(crate) fn futex_wake(word: &AtomicU32) {
    let (no_limit, nobody) = (std::ptr::null::<libc::timespec>(), std::ptr::null::<u32>());
    unsafe { libc::syscall(libc::SYS_futex, word as *const AtomicU32, libc::FUTEX_WAKE, i32::MAX, no_limit, nobody, 0) };
}

fn whole_file(kind: libc::c_int) -> libc::flock {
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as _;
    lock.l_whence = libc::SEEK_SET as _;
    lock
}

/// Whether a writer holds the ring. Asks with F_RDLCK and never takes the lock: taking it to find out would refuse
/// honest starters. A descriptor open for reading is enough.
pub(crate) fn lock_is_held(file: &File) -> bool {
    let mut lock = whole_file(libc::F_RDLCK);
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &mut lock) };
    asked == 0 && lock.l_type != libc::F_UNLCK as libc::c_short
}

fn set_lock(file: &File, kind: libc::c_int) -> io::Result<()> {
    let lock = whole_file(kind);
    result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) })
}

/// Takes the whole file's write lock, of the open file description: a POSIX lock goes when any descriptor of the file
/// is closed, and flock() does not see either. An error where somebody holds it.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    set_lock(file, libc::F_WRLCK)
}

pub(crate) fn unlock(file: &File) -> io::Result<()> {
    set_lock(file, libc::F_UNLCK)
}

/// Backs the whole file with memory, so that a full /dev/shm is an error here and not SIGBUS at a frame.
pub(crate) fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    loop {
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes as libc::off_t) } {
            0 => return Ok(()),
            libc::EINTR => continue,
            failed => return Err(io::Error::from_raw_os_error(failed)),
        }
    }
}

pub(crate) fn give_to_group(file: &File, group: u32) -> io::Result<()> {
    result(unsafe { libc::fchown(file.as_raw_fd(), u32::MAX, group) })?;
    result(unsafe { libc::fchmod(file.as_raw_fd(), 0o640) })
}

pub(crate) fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), BYTES, 0) };
    assert_eq!(got, BYTES as isize, "getrandom gives up to 256 bytes at once");
    bytes
}

/// Free bytes of the file system at /dev/shm.
pub(crate) fn shm_free() -> u64 {
    let mut fs: libc::statvfs = unsafe { std::mem::zeroed() };
    let path = b"/dev/shm\0".as_ptr().cast();
    if unsafe { libc::statvfs(path, &mut fs) } != 0 {
        return 0;
    }
    fs.f_bavail as u64 * fs.f_frsize as u64
}

pub(crate) fn result(code: libc::c_int) -> io::Result<()> {
    if code < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
