//! A mapped file: every access is checked against its bounds, and goes past what the compiler may assume of memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::unix::io::AsRawFd;
use std::sync::atomic::{AtomicU32, AtomicU64};

pub(crate) struct Mapping {
    base: *mut u8,
    bytes: usize,
    writable: bool,
}

// The memory is shared between processes already; threads add nothing to that.
unsafe impl Send for Mapping {}
unsafe impl Sync for Mapping {}

const POPULATE_READ: libc::c_int = 22; // MADV_POPULATE_*, since Linux 5.14
const POPULATE_WRITE: libc::c_int = 23;

type Copy = unsafe extern "C" fn(*mut libc::c_void, *const libc::c_void, usize) -> *mut libc::c_void;

/// `memcpy` by an address that the compiler must not know: the other side of the copy changes under it by design, and
/// what was copied under a failed check is thrown away unseen.
fn opaque_copy() -> Copy {
    static COPY: Copy = libc::memcpy;
    unsafe { std::ptr::read_volatile(&COPY) }
}

impl Mapping {
    /// The file's first `bytes` bytes, read-only. Pages that the file has are fetched at once, so that the first frames
    /// cost what later ones do.
    pub fn for_reading(file: &File, bytes: u64, has_holes: bool) -> io::Result<Mapping> {
        let mapping = Mapping::new(file, bytes, libc::PROT_READ)?;
        if !has_holes {
            unsafe { libc::madvise(mapping.base.cast(), mapping.bytes, POPULATE_READ) };
            // it may fail freely
        }
        Ok(mapping)
    }

    /// The same for the writer: every page is touched, and a forked child does not get it, since it would keep the lock.
    pub fn for_writing(file: &File, bytes: u64) -> io::Result<Mapping> {
        let mapping = Mapping::new(file, bytes, libc::PROT_READ | libc::PROT_WRITE)?;
        unsafe { libc::madvise(mapping.base.cast(), mapping.bytes, libc::MADV_DONTFORK) };
        if unsafe { libc::madvise(mapping.base.cast(), mapping.bytes, POPULATE_WRITE) } != 0 {
            for at in (0..mapping.bytes).step_by(4096) {
                unsafe { mapping.base.add(at).write_volatile(0) }; // before Linux 5.14; the file is all zeros yet
            }
        }
        Ok(mapping)
    }

    fn new(file: &File, bytes: u64, protection: libc::c_int) -> io::Result<Mapping> {
        let length = usize::try_from(bytes).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let base = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { base: base.cast(), bytes: length, writable: protection & libc::PROT_WRITE != 0 })
    }

    /// Where `bytes` bytes from `offset` on begin; panics if they do not lie in the mapping.
    fn at(&self, offset: usize, bytes: usize) -> *mut u8 {
        assert!(offset <= self.bytes && bytes <= self.bytes - offset, "{} bytes at {} of {}", bytes, offset, self.bytes);
        unsafe { self.base.add(offset) }
    }

    pub fn word64(&self, offset: usize) -> &AtomicU64 {
        assert!(offset % 8 == 0);
        unsafe { &*(self.at(offset, 8) as *const AtomicU64) } // pages are aligned, so the word is
    }

    pub fn word32(&self, offset: usize) -> &AtomicU32 {
        assert!(offset % 4 == 0);
        unsafe { &*(self.at(offset, 4) as *const AtomicU32) }
    }

    pub fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let from = self.at(offset, out.len());
        unsafe { opaque_copy()(out.as_mut_ptr().cast(), from as *const libc::c_void, out.len()) };
    }

    /// A new vector of these bytes, without filling it with zeros before. None where there is no memory for it.
    pub fn to_vec(&self, offset: usize, bytes: usize) -> Option<Vec<u8>> {
        let from = self.at(offset, bytes);
        let mut out = Vec::new();
        out.try_reserve_exact(bytes).ok()?;
        unsafe {
            opaque_copy()(out.as_mut_ptr() as *mut libc::c_void, from as *const libc::c_void, bytes);
            out.set_len(bytes);
        }
        Some(out)
    }

    /// N bytes by volatile loads.
    pub fn load<const BYTES: usize>(&self, offset: usize) -> [u8; BYTES] {
        unsafe { (self.at(offset, BYTES) as *const [u8; BYTES]).read_volatile() }
    }

    pub fn pointer(&self, offset: usize, bytes: usize) -> *const u8 {
        self.at(offset, bytes)
    }

    pub fn copy_in(&self, offset: usize, from: &[u8]) {
        assert!(self.writable);
        let to = self.at(offset, from.len());
        unsafe { opaque_copy()(to.cast(), from.as_ptr().cast(), from.len()) };
    }

    /// Memory to fill in place. `&mut` on the mapping, so that there is one such slice at a time.
    pub fn bytes_mut(&mut self, offset: usize, bytes: usize) -> &mut [u8] {
        assert!(self.writable);
        unsafe { std::slice::from_raw_parts_mut(self.at(offset, bytes), bytes) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}
