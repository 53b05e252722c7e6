//! Follows the stream "s" and prints {"generation"} for each generation of which it is given a frame: `line_reader PREFIX [epoll]`.
//! With `epoll` it waits on the reader's descriptor only, and at the end of its input prints {"frames", "wakeups"}.
use std::time::Duration;
use streamem::{Error, Reader};

/// Waits until the descriptor is readable; false at the end of the input.
fn wait_on(fd: i32) -> bool {
    let mut polls = [fd, 0].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    unsafe { libc::poll(polls.as_mut_ptr(), 2, -1) };
    polls[1].revents == 0
}

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    let mut reader = Reader::open_in(Some(&words[1]), "s", Duration::from_secs(10))?;
    let fd = if words.len() > 2 { Some(reader.fd()?) } else { None };
    let (mut seen, mut frames, mut wakeups) = ([0; 16], 0, 0);
    loop {
        let frame = match fd {
            Some(_) => reader.next(Duration::ZERO),
            None => reader.next(None),
        };
        if let Some(frame) = frame {
            frames += 1;
            if frame.generation() != seen {
                seen = frame.generation();
                println!("{{\"generation\": \"{}\"}}", seen.iter().map(|byte| format!("{:02x}", byte)).collect::<String>());
            }
        } else if let Some(fd) = fd {
            wakeups += 1;
            if !wait_on(fd) {
                frames += reader.frames(Duration::ZERO).count(); // those that came with the end of the input
                println!("{{\"frames\": {}, \"wakeups\": {}}}", frames, wakeups);
                return Ok(());
            }
        }
    }
}
