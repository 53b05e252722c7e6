//! Prefixes, names of streams, and the paths that follow from them.

use crate::error::{Error, Result};

/// Whose ring: a prefix and a stream's name, both checked.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub prefix: String,
    pub stream: String,
}

impl Name {
    /// Without a prefix: that of the environment's `STREAMEM_PREFIX`, else `streamem`.
    pub fn new(prefix: Option<&str>, stream: &str) -> Result<Name> {
        let prefix = match prefix {
            Some(prefix) => prefix.to_string(),
            None => std::env::var("STREAMEM_PREFIX").ok().filter(|p| !p.is_empty()).unwrap_or_else(|| "streamem".into()),
        };
        if !(1..=32).contains(&prefix.len()) || !prefix.bytes().all(|c| is_inner(c) && c != b'.') {
            return Err(Error::new(libc::EINVAL, format!("prefix {:?}: allowed are 1 to 32 of a-z 0-9 _ -", prefix)));
        }
        if !is_stream_name(stream) {
            let allowed = "allowed are 1 to 63 of a-z 0-9 . _ -, a letter or digit first and last";
            return Err(Error::new(libc::EINVAL, format!("stream name {:?}: {}", stream, allowed)));
        }
        Ok(Name { prefix, stream: stream.to_string() })
    }

    pub fn ring(&self) -> String {
        format!("/dev/shm/{}.{}", self.prefix, self.stream)
    }

    pub fn lock(&self) -> String {
        format!("/dev/shm/.{}.{}.lock", self.prefix, self.stream)
    }

    /// What the names of rings in the making begin with, in /dev/shm.
    pub fn temporary_start(&self) -> String {
        format!(".{}.{}.", self.prefix, self.stream)
    }

    /// Where the stream's doorbell may be, in the order in which to try.
    pub fn doorbells(&self) -> Vec<String> {
        let set = |variable: &str| std::env::var(variable).ok().filter(|folder| !folder.is_empty());
        let folders = match set("STREAMEM_DIR") {
            Some(only) => vec![only],
            None => {
                let session = set("XDG_RUNTIME_DIR").map(|folder| format!("{}/streamem", folder));
                let own = format!("/tmp/streamem-{}", crate::sys::user());
                session.into_iter().chain(["/run/streamem".to_string(), own]).collect()
            }
        };
        folders.iter().map(|folder| format!("{}/{}.{}.sock", folder, self.prefix, self.stream)).collect()
    }
}

pub(crate) fn is_stream_name(name: &str) -> bool {
    let ends = [name.bytes().next(), name.bytes().last()];
    let ends_well = ends.iter().all(|c| c.map_or(false, |c| c.is_ascii_alphanumeric()));
    name.len() <= 63 && ends_well && name.bytes().all(is_inner)
}

fn is_inner(c: u8) -> bool {
    matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')
}
