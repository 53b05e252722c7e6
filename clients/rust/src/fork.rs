//! Files whose locks a forked child must not keep: a dead writer would look alive for as long as the child runs.
#![allow(unsafe_code)]

use std::fs::File;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::unix::io::AsRawFd;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};
use std::sync::Once;

/// A file that belongs to the process that opened it: a forked child's copy is closed at the fork.
pub(crate) struct HeldFile {
    file: ManuallyDrop<File>,
    entry: &'static Entry,
}

/// One place in a list that only grows: the child may look at it whatever the parent's threads were doing.
struct Entry {
    taken: AtomicBool,
    fd: AtomicI32,
    forked: AtomicBool,
    next: *mut Entry,
}

// `next` is set before the entry is seen by anybody and never changes.
unsafe impl Sync for Entry {}

static LIST: AtomicPtr<Entry> = AtomicPtr::new(null_mut());

fn entries() -> impl Iterator<Item = &'static Entry> {
    let first = unsafe { LIST.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |entry| unsafe { entry.next.as_ref() })
}

extern "C" fn after_fork_in_child() {
    for entry in entries() {
        let fd = entry.fd.swap(-1, Ordering::Relaxed);
        if fd >= 0 {
            unsafe { libc::close(fd) };
            entry.forked.store(true, Ordering::Relaxed);
        }
    }
}

fn free_entry() -> &'static Entry {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| unsafe { assert_eq!(libc::pthread_atfork(None, None, Some(after_fork_in_child)), 0) });
    let takes = |entry: &&Entry| entry.taken.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    if let Some(entry) = entries().find(takes) {
        entry.forked.store(false, Ordering::Relaxed);
        return entry;
    }
    let entry = Box::leak(Box::new(Entry {
        taken: AtomicBool::new(true),
        fd: AtomicI32::new(-1),
        forked: AtomicBool::new(false),
        next: LIST.load(Ordering::Acquire),
    }));
    while let Err(first) = LIST.compare_exchange(entry.next, entry, Ordering::AcqRel, Ordering::Acquire) {
        entry.next = first;
    }
    entry
}

impl HeldFile {
    pub fn new(file: File) -> HeldFile {
        let entry = free_entry();
        entry.fd.store(file.as_raw_fd(), Ordering::Release);
        HeldFile { file: ManuallyDrop::new(file), entry }
    }

    /// Whether this is a forked child's copy: nothing is behind it.
    pub fn is_lost(&self) -> bool {
        self.entry.forked.load(Ordering::Relaxed)
    }
}

impl Deref for HeldFile {
    type Target = File;
    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        self.entry.fd.store(-1, Ordering::Release);
        if !self.is_lost() {
            unsafe { ManuallyDrop::drop(&mut self.file) }; // else its number may be another file's by now
        }
        self.entry.taken.store(false, Ordering::Release);
    }
}
