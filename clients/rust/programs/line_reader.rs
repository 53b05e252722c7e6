//! Follows the stream "s" and prints {"generation"} for each generation of which it is given a frame: `line_reader PREFIX`.
use std::time::Duration;
use streamem::{Error, Reader};

fn main() -> Result<(), Error> {
    let prefix = std::env::args().nth(1).expect("usage: line_reader PREFIX");
    let mut reader = Reader::open_in(Some(&prefix), "s", Duration::from_secs(10))?;
    let mut seen = [0; 16];
    while let Some(frame) = reader.next(None) {
        if frame.generation() != seen {
            seen = frame.generation();
            println!("{{\"generation\": \"{}\"}}", seen.iter().map(|byte| format!("{:02x}", byte)).collect::<String>());
        }
    }
    Ok(())
}
