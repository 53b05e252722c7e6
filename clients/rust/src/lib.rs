//! Read and write streamem rings: frames of cameras, microphones and headsets in shared memory. Copy this folder.
//!
//! A stream is a file, `/dev/shm/<prefix>.<name>`: a header, a JSON descriptor, N slots. One writer fills the slots in turn
//! and never waits; any number of readers map the file read-only. `native/LAYOUT.md` is the contract.
//!
//! ```no_run
//! let mut camera = streamem::Reader::open("rand-camera", std::time::Duration::from_secs(5))?;
//! while let Some(frame) = camera.next(std::time::Duration::from_secs(1)) {
//!     let picture = frame.copy()?; // yours, checked
//!     println!("{} {:?} {} bytes, missed {}", frame.sequence(), frame.shape(), picture.len(), frame.missed());
//! }
//! # Ok::<(), streamem::Error>(())
//! ```
//!
//! ```text
//!  WRITER of sequence s                              READER of sequence s
//!  begin = s                relaxed                  wake                     acquire  (a hint to look)
//!  (A) release fence, sfence  ----------------.      s = latest               acquire
//!  slot header, fields, payload                |     end == s?                acquire  <-------- (C)
//!  (B) sfence on x86-64 (streaming stores)     |     copy the slot header and the fields
//!  (C) end = s              release            |     (F') acquire fence, begin == s?   relaxed
//!  (D) latest = s           release            |     use or copy the payload
//!  (E) wake = wake + 1      release            '---> (F) acquire fence
//!  FUTEX_WAKE                                        begin == s?              relaxed
//! ```
//!
//! A reader is woken by the futex on `wake`, or polls where the writer wakes nobody. It holds on x86-64 and on arm64: the
//! words are atomics, the fences are fences, and what lies between them is copied where the compiler cannot look.
//!
//! All `unsafe` is in `sys`, `map`, `layout` (a struct as its bytes), `bell`, `waiting` and `fork`; none is asked of you. A [`View`]
//! lives no longer than its [`Frame`], and a frame keeps its mapping:
//!
//! ```compile_fail
//! let mut reader = streamem::Reader::open("rand-camera", None).unwrap();
//! let view = reader.latest().unwrap().data(); // the frame ends here, and its mapping may
//! println!("{}", view.len());
//! ```
#![deny(unsafe_code)]

mod array;
mod bell;
mod deadline;
mod descriptor;
mod dtype;
mod error;
mod fork;
mod frame;
mod header;
mod json;
mod layout;
mod made;
mod map;
mod memory;
mod names;
mod owning;
mod place;
mod placing;
mod reader;
mod reference;
mod ring;
mod spec;
mod stack;
mod sync;
mod sync_member;
mod sys;
mod waiting;
mod writer;

pub use array::{Array, Item};
pub use descriptor::Descriptor;
pub use dtype::{Type, Value};
pub use error::{Error, Result};
pub use frame::{Frame, View};
pub use json::Json;
pub use layout::offsets;
pub use reader::{Reader, State};
pub use reference::Reference;
pub use spec::Spec;
pub use stack::Stack;
pub use sync::{FrameSet, Mode, Sync, SyncOptions};
pub use sync_member::{Member, Missing};
pub use sys::now_ns;
pub use writer::{Meta, Slot, Writer};
