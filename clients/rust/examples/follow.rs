//! Takes each frame and prints shape, rate and missed frames once a second: `follow NAME [COUNT]`.
use std::time::{Duration, Instant};
use streamem::{Error, Reader};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).expect("usage: follow NAME [COUNT]");
    let count = std::env::args().nth(2).map_or(u64::MAX, |count| count.parse().expect("COUNT is a number"));
    let mut reader = Reader::open(&name, Duration::from_secs(5))?;
    let (mut start, mut frames, mut missed) = (Instant::now(), 0, 0);
    for taken in 1..=count {
        let frame = reader.next(None).expect("it waits for ever");
        frames += 1;
        missed += frame.missed();
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= 1.0 || taken == count {
            let shape: Vec<String> = frame.shape().iter().map(u32::to_string).collect();
            println!("shape {} rate {:.1} missed {}", shape.join("x"), frames as f64 / seconds, missed);
            (start, frames, missed) = (Instant::now(), 0, 0);
        }
    }
    Ok(())
}
