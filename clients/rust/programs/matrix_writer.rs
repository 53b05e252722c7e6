//! A writer at full rate: `matrix_writer PREFIX STREAM BYTES SLOTS SECONDS`. Word i of frame s is (s + i) * WORD, so that no frame
//! mixed from two can pass. Prints {"published"}.
use std::time::{Duration, Instant};
use streamem::{Error, Meta, Spec, Writer};

const WORD: u64 = 0x9E37_79B9_7F4A_7C15;

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    let number = |i: usize| words[i].parse::<u32>().expect("BYTES, SLOTS and SECONDS are numbers");
    let spec = Spec::new("tensor", "|u1", &[number(3)]).prefix(&words[1]).slots(number(4));
    let mut writer = Writer::create(&words[2], &spec)?;
    let end = Instant::now() + Duration::from_secs(number(5) as u64);
    while Instant::now() < end {
        let sequence = writer.sequence() + 1;
        let mut slot = writer.acquire()?;
        let payload = slot.payload();
        let bytes = payload.len();
        let mut value = sequence.wrapping_mul(WORD);
        for word in payload.chunks_exact_mut(8) {
            word.copy_from_slice(&value.to_le_bytes());
            value = value.wrapping_add(WORD);
        }
        slot.commit(bytes, &Meta::default())?;
    }
    println!("{{\"published\": {}}}", writer.sequence());
    Ok(())
}
