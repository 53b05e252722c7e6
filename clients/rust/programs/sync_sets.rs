//! Prints the sets of a recorded trace, one line of JSON each: `sync_sets PREFIX MODE TOLERANCE_NS DRIVER NAMES...`, DRIVER `-`
//! for the slowest. Checks every word of every member. Ends when the driver is dead or retired
//! without a successor, and no set has come for a second.
use std::time::{Duration, Instant};
use streamem::{Error, FrameSet, Mode, State, Sync, SyncOptions};

const WORDS: u32 = 16;

fn line(set: &FrameSet) -> String {
    let members = set.members.iter().map(|(name, member)| match member {
        Err(reason) => format!("\"{}\":\"{}\"", name, reason),
        Ok(frame) => {
            let array = frame.array::<u32>().expect("the traces' type");
            let first = (frame.sequence() as u32).wrapping_mul(WORDS);
            assert!(array.iter().eq((0..WORDS).map(|word| first.wrapping_add(word))) && frame.valid(), "{:?} is not whole", frame);
            let generation: String = frame.generation().iter().map(|byte| format!("{:02x}", byte)).collect();
            format!("\"{}\":{{\"generation\":\"{}\",\"sequence\":\"{}\"}}", name, generation, frame.sequence())
        }
    });
    let members = members.collect::<Vec<_>>().join(",");
    format!("{{\"time_ns\":\"{}\",\"driver\":\"{}\",\"members\":{{{}}}}}", set.time_ns, set.driver, members)
}

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    let names: Vec<&str> = words[5..].iter().map(String::as_str).collect();
    let options = SyncOptions {
        mode: if words[2] == "available" { Mode::Available } else { Mode::Reproducible },
        tolerance_ns: words[3].parse().expect("TOLERANCE_NS is a number"),
        driver: Some(&words[4][..]).filter(|driver| *driver != "-"),
        prefix: Some(&words[1]),
    };
    let mut sync = Sync::open(&names, &options, Duration::from_secs(10))?;
    let driver = sync.driver().to_string();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_secs(1) {
        let set = sync.next(Duration::from_millis(100))?;
        let state = sync.reader(&driver)?.map_or(State::Dead, |reader| reader.state());
        if set.is_some() || !matches!(state, State::Dead | State::Retired) {
            last = Instant::now();
        }
        if let Some(set) = set {
            println!("{}", line(&set));
        }
    }
    Ok(())
}
