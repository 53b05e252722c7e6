//! How a writer puts a generation under its name, and keeps it there.

use std::fs::{remove_file, rename};
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::made::Made;
use crate::owning::{is_at, retire_old, sweep, take_lock};
use crate::sys::{self, now_ns};
use crate::writer::Writer;

impl Writer {
    /// Once a second: where somebody has removed the ring's name a new generation begins, unless another writer has the stream
    /// by now.
    pub(crate) fn look_after_the_name(&mut self) -> Result<()> {
        self.check_process()?;
        let now = now_ns();
        if now < self.look_at_ns {
            return Ok(());
        }
        self.look_at_ns = now + 1_000_000_000;
        match &self.made {
            Some(made) if made.file.metadata().map_or(true, |status| status.nlink() > 0) => Ok(()),
            _ => self.begin(),
        }
    }

    /// Makes a generation and puts it under the name: sweep, allocate, fill, retire the old ring, rename.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.keep_lock()?;
        sweep(&self.name);
        let random: [u8; 8] = sys::random();
        let temporary = format!("/dev/shm/{}{:016x}", self.name.temporary_start(), u64::from_le_bytes(random));
        let placed = self.make(&temporary).and_then(|made| self.place(&temporary, &made).map(|()| made));
        let made = placed.map_err(|error| {
            let _ = remove_file(&temporary);
            error
        })?;
        if let Some(old) = self.made.replace(made) {
            old.retire(); // by its own mapping: its name may have been gone
        }
        self.sequence = 0;
        self.look_at_ns = now_ns() + 1_000_000_000;
        Ok(())
    }

    /// Where the lock file was removed too, whoever made a new one has the stream.
    fn keep_lock(&mut self) -> Result<()> {
        if is_at(&self.lock, &self.name.lock()) {
            return Ok(());
        }
        if let Some(made) = &self.made {
            made.retire();
            let _ = sys::unlock(&made.file); // it has no name, and must not look like a second writer's
        }
        self.lock = take_lock(&self.name).map_err(|error| {
            self.made = None;
            error
        })?;
        Ok(())
    }

    /// Where two rings do not fit side by side the old one goes first, and its readers have two seconds to let go of it.
    fn make(&mut self, temporary: &str) -> Result<Made> {
        let deadline = now_ns() + 2_000_000_000;
        let mut gave_way = false;
        loop {
            let error = match Made::new(&self.name, &self.plan, temporary) {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            let _ = remove_file(temporary);
            if error.errno() != libc::ENOSPC || now_ns() >= deadline {
                return Err(error);
            }
            let found = retire_old(&self.name).unwrap_or(false) && remove_file(self.name.ring()).is_ok();
            let own = self.made.take().map(|old| old.retire()).is_some();
            gave_way |= found || own;
            if !gave_way {
                return Err(error); // there is no old ring whose room could come free
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn place(&self, temporary: &str, made: &Made) -> Result<()> {
        let name = &self.name.stream;
        if let Some(group) = self.group {
            let failed = |error| Error::system(format!("stream \"{}\" cannot be given to group {}", name, group), &error);
            sys::give_to_group(&made.file, group).map_err(failed)?;
        }
        retire_old(&self.name)?; // its readers look for us from here on
        rename(temporary, self.name.ring()).map_err(|error| Error::system(self.name.ring(), &error))
    }
}
