//! Checks every word of every frame that it is given: `matrix_reader PREFIX STREAM BYTES`. Takes the newest frame, and of small
//! ones now and then the oldest that can be read, with a pause before it is copied: the writer comes for it meanwhile. Until the
//! ring is retired and gone.
//! Prints "waiting" before it opens the stream, and at the end {"delivered", "rejected", "wrong", "missed"}.
use std::time::Duration;
use streamem::{Error, Frame, Reader, State};

const SMALL_BYTES: usize = 4096;
/// Of a ring of small frames, which has 256 slots.
const WINDOW: usize = 255;
const PAUSE: Duration = Duration::from_micros(200);
const WORD: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Default)]
struct Tally {
    delivered: u64,
    rejected: u64,
    wrong: u64,
}

impl Tally {
    fn look(&mut self, frame: &Frame, copied: Result<usize, Error>, copy: &[u8]) {
        match copied {
            Err(_) => self.rejected += 1,
            Ok(bytes) if bytes == copy.len() && holds(frame.sequence(), copy) => self.delivered += 1,
            Ok(_) => self.wrong += 1,
        }
    }
}

/// Without a branch in the loop, so that it is as fast as a real consumer's.
fn holds(sequence: u64, copy: &[u8]) -> bool {
    let mut value = sequence.wrapping_mul(WORD);
    let mut differences = 0;
    for word in copy.chunks_exact(8) {
        differences |= value ^ u64::from_le_bytes(word.try_into().expect("8 bytes"));
        value = value.wrapping_add(WORD);
    }
    differences == 0
}

/// A copy word by word through the view.
fn copy_by_words(frame: &Frame, copy: &mut [u8]) -> Result<usize, Error> {
    for (i, word) in copy.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&frame.data().load::<8>(i * 8).unwrap_or_default());
    }
    if frame.valid() {
        return Ok(frame.data().len());
    }
    frame.copy_into(copy) // says why
}

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    let mut copy = vec![0; words[3].parse().expect("BYTES is a number")];
    println!("waiting");
    let mut reader = Reader::open_in(Some(&words[1]), &words[2], Duration::from_secs(30))?;
    let path = format!("/dev/shm/{}.{}", words[1], words[2]);
    let mut tally = Tally::default();
    while reader.state() != State::Retired || std::path::Path::new(&path).exists() {
        for turn in 0..64 {
            let frame = match reader.newest(Duration::from_millis(20)) {
                Some(frame) => frame,
                None => break,
            };
            let copied = frame.copy_into(&mut copy);
            tally.look(&frame, copied, &copy);
            if copy.len() > SMALL_BYTES || turn % 4 > 0 {
                continue;
            }
            if let Some(oldest) = reader.last(WINDOW)?.first() {
                std::thread::sleep(PAUSE);
                let copied = copy_by_words(oldest, &mut copy);
                tally.look(oldest, copied, &copy);
            }
        }
    }
    let Tally { delivered, rejected, wrong } = tally;
    println!("{{\"delivered\": {}, \"rejected\": {}, \"wrong\": {}, \"missed\": {}}}", delivered, rejected, wrong, reader.missed());
    Ok(())
}
