//! Who owns a name: the lock, what the dead have left, and the end of an old ring.

use std::fs::{read_dir, remove_file, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fork::HeldFile;
use crate::layout::{FLAGS_AT, FLAG_RETIRED, PAGE_BYTES, WAKE_AT};
use crate::map::Mapping;
use crate::names::Name;
use crate::ring::read_at;
use crate::sys::{futex_wake, lock, lock_is_held, user};

/// The stream's lock file, locked. It is 0600 whatever the ring's mode: who can open it can hold a lock on it, and so keep
/// every successor out. `EBUSY` where another writer has it for a second.
pub(crate) fn take_lock(name: &Name) -> Result<HeldFile> {
    let path = name.lock();
    for _ in 0..100 {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(&path).map_err(|error| Error::system(format!("{}: the stream's lock cannot be opened", path), &error))?;
        let file = HeldFile::new(file);
        // At its path: its last owner may have unlinked it. The ring too: the lock file may have been removed under its writer.
        if lock(&file).is_ok() && is_at(&file, &path) && !ring_is_held(name) {
            return Ok(file);
        }
        drop(file);
        sleep(Duration::from_millis(10));
    }
    let words =
        format!("stream \"{}\" (prefix \"{}\") has a writer already: end that one, or choose another name", name.stream, name.prefix);
    Err(Error::new(libc::EBUSY, words))
}

fn ring_is_held(name: &Name) -> bool {
    let ring = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(name.ring());
    ring.map_or(false, |ring| lock_is_held(&ring))
}

/// Whether the file is what now stands at the path.
pub(crate) fn is_at(file: &File, path: &str) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Removes what writers killed between creating and renaming have left. Only under the lock.
pub(crate) fn sweep(name: &Name) {
    let start = name.temporary_start();
    for entry in read_dir("/dev/shm").into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let random = file_name.to_str().and_then(|text| text.strip_prefix(&start));
        if random.map_or(false, |random| random.len() == 16 && random.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))) {
            let _ = remove_file(entry.path());
        }
    }
}

/// Sets RETIRED in a ring and wakes its readers. By pwrite: whoever owns the file may cut it short, and touching a mapping
/// would end us then. The page mapped for the wake-up is not touched.
pub(crate) fn retire(file: &File) -> io::Result<()> {
    for (at, changed) in [(FLAGS_AT, (|flags| flags | FLAG_RETIRED) as fn(u32) -> u32), (WAKE_AT, |wake| wake.wrapping_add(1))] {
        let mut word = [0; 4];
        if read_at(file, &mut word, at as u64) < 4 {
            return Ok(()); // too short for a header: nobody reads it
        }
        file.write_all_at(&changed(u32::from_le_bytes(word)).to_le_bytes(), at as u64)?;
    }
    futex_wake(Mapping::for_reading(file, PAGE_BYTES, true)?.word32(WAKE_AT));
    Ok(())
}

/// Retires what stands under the name; whether there was anything. Only under the lock; what is not ours or no file is refused.
pub(crate) fn retire_old(name: &Name) -> Result<bool> {
    let path = name.ring();
    let in_the_way = |error: &io::Error| Error::system(format!("{} is in the way", path), error);
    let file = match OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(in_the_way(&error)),
    };
    let status = file.metadata().map_err(|error| in_the_way(&error))?;
    if !status.is_file() || status.uid() != user() {
        let words = format!("{} is in the way: it is not a file of this user; its owner must remove it", path);
        return Err(Error::new(libc::EPERM, words));
    }
    let _ = retire(&file); // the rename replaces it whatever became of this
    Ok(true)
}
