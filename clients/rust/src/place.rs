//! Where a stream's ring is found: at a name, at a path, or through the doorbell.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use crate::bell;
use crate::error::{Error, Result};
use crate::names::Name;

pub(crate) enum Place {
    Name(Name),
    Path(String),
}

impl Place {
    pub fn path(&self) -> String {
        match self {
            Place::Name(name) => name.ring(),
            Place::Path(path) => path.clone(),
        }
    }

    /// The file at the path; where there is none, the one that the stream's doorbell hands out.
    pub fn open(&self, wake: Option<&str>) -> Result<File> {
        let options = libc::O_NOFOLLOW | libc::O_NONBLOCK; // the standard library adds O_CLOEXEC
        let error = match OpenOptions::new().read(true).custom_flags(options).open(self.path()) {
            Ok(file) => return Ok(file),
            Err(error) => error,
        };
        if let Some(offer) = bell::find(self.name(), wake) {
            return Ok(offer.ring); // no shared /dev/shm: a container that sees only the doorbell's folder
        }
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => " (is its writer running? `ls /dev/shm` shows what there is)",
            io::ErrorKind::PermissionDenied => " (the stream belongs to another user; the hub's `group` setting shares it)",
            _ => "",
        };
        Err(Error::new(error.raw_os_error().unwrap_or(libc::EIO), format!("{}: {}{}", self.path(), error, remedy)))
    }

    pub fn name(&self) -> Option<&Name> {
        match self {
            Place::Name(name) => Some(name),
            Place::Path(_) => None,
        }
    }
}
