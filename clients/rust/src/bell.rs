//! The doorbell: a socket that hands out something to wait on, and the ring itself.
#![allow(unsafe_code)]

use std::fs::File;
use std::mem::{size_of, zeroed};
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};

use crate::names::Name;

/// What one doorbell gave.
pub(crate) struct Offer {
    /// Closes when the generation ends.
    pub socket: OwnedFd,
    /// Becomes readable at each publish.
    pub bell: OwnedFd,
    /// Open read-only.
    pub ring: File,
    pub generation: [u8; 16],
}

/// Tries what the descriptor says, unless `STREAMEM_DIR` says otherwise, then the usual folders.
pub(crate) fn find(name: Option<&Name>, wake: Option<&str>) -> Option<Offer> {
    let overruled = std::env::var_os("STREAMEM_DIR").map_or(false, |folder| !folder.is_empty());
    let stated = wake.filter(|_| !overruled).map(str::to_string);
    let usual = name.map_or_else(Vec::new, Name::doorbells);
    stated.into_iter().chain(usual).find_map(|path| connect(&path))
}

const MESSAGE_BYTES: usize = 24;
const DESCRIPTORS_BYTES: u32 = 2 * size_of::<libc::c_int>() as u32;

/// None where there is no doorbell, or one that is full or does not answer within a second.
fn connect(path: &str) -> Option<Offer> {
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as _;
    if path.len() >= address.sun_path.len() || path.contains('\0') {
        return None;
    }
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = from as _;
    }
    let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return None;
    }
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let patience = libc::timeval { tv_sec: 1, tv_usec: 0 };
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        let value = &patience as *const libc::timeval as *const libc::c_void;
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, size_of::<libc::timeval>() as _) };
    }
    let address = &address as *const libc::sockaddr_un as *const libc::sockaddr;
    let connected = unsafe { libc::connect(socket.as_raw_fd(), address, size_of::<libc::sockaddr_un>() as _) };
    let (message, mut descriptors) = if connected == 0 { receive(&socket)? } else { return None };
    if descriptors.len() != 2 || &message[..8] != b"SMBELL01" {
        return None;
    }
    let ring = File::from(descriptors.pop()?);
    let bell = descriptors.pop()?;
    let mut generation = [0; 16];
    generation.copy_from_slice(&message[8..]);
    Some(Offer { socket, bell, ring, generation })
}

/// One message and every descriptor that came with it, so that none stays open unseen.
fn receive(socket: &OwnedFd) -> Option<([u8; MESSAGE_BYTES], Vec<OwnedFd>)> {
    let mut message = [0u8; MESSAGE_BYTES];
    let mut control = [0u64; 4]; // aligned, and room for two descriptors: the kernel closes what does not fit
    let mut part = libc::iovec { iov_base: message.as_mut_ptr().cast(), iov_len: MESSAGE_BYTES };
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = unsafe { libc::CMSG_SPACE(DESCRIPTORS_BYTES) } as _;
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, libc::MSG_CMSG_CLOEXEC) };
    let mut descriptors = Vec::new();
    let first = if got > 0 { unsafe { libc::CMSG_FIRSTHDR(&header) } } else { std::ptr::null_mut() };
    if !first.is_null() {
        let part = unsafe { &*first };
        if part.cmsg_level == libc::SOL_SOCKET && part.cmsg_type == libc::SCM_RIGHTS {
            let bytes = part.cmsg_len as usize - unsafe { libc::CMSG_LEN(0) } as usize;
            let data = unsafe { libc::CMSG_DATA(first) } as *const libc::c_int;
            for i in 0..(bytes / size_of::<libc::c_int>()).min(2) {
                descriptors.push(unsafe { OwnedFd::from_raw_fd(data.add(i).read_unaligned()) });
            }
        }
    }
    (got == MESSAGE_BYTES as isize).then_some((message, descriptors))
}
