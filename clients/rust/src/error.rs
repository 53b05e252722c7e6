use std::borrow::Cow;
use std::fmt;
use std::io;

pub type Result<T> = std::result::Result<T, Error>;

/// What was wrong, where, what is allowed and what to do; [`Error::errno`] says the same as the system would.
#[derive(Clone)]
pub struct Error {
    errno: i32,
    text: Cow<'static, str>,
}

impl Error {
    pub(crate) fn new(errno: i32, text: impl Into<Cow<'static, str>>) -> Error {
        Error { errno, text: text.into() }
    }

    /// `what` failed as the system says in `error`.
    pub(crate) fn system(what: impl fmt::Display, error: &io::Error) -> Error {
        Error::new(error.raw_os_error().unwrap_or(libc::EIO), format!("{}: {}", what, error))
    }

    /// `libc::ENOENT` there is no such stream, `EBADMSG` not a ring or a damaged one, `EPROTO` another layout version,
    /// `EACCES` not for this user, `ESTALE` overwritten, `ENOSPC` too little memory or room, `EBUSY` there is another
    /// writer, `EMSGSIZE` the frame does not fit, `EPERM` not this process's, `EINVAL` wrong usage.
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// The writer overwrote the frame before it was copied. Not a fault: take a newer one.
    pub fn is_lapped(&self) -> bool {
        self.errno == libc::ESTALE
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The sentence too: it is what a `main` that returns the error prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
