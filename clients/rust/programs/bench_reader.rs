//! `bun run bench clients`: latest() with valid(), and a checked copy into the caller's memory. Speaks the protocol of bench/program.h.
use std::io::{stdin, BufRead};
use std::time::{Duration, Instant};
use streamem::{Error, Reader};

fn timed(case: &str, label: &str, calls: u32, mut call: impl FnMut()) -> String {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    let ns = start.elapsed().as_nanos() as f64 / calls as f64;
    format!("{{\"case\":\"{}, {}\",\"contender\":\"Rust\",\"condition\":\"hot\",\"samples\":[{:.1}]}}", case, label, ns)
}

fn main() -> Result<(), Error> {
    let mut readers = Vec::new();
    for (label, name) in [("64 B", "clients-64b"), ("720p", "clients-720p"), ("1080p", "clients-1080p")] {
        readers.push((label, Reader::open(name, Duration::from_secs(10))?));
    }
    println!("{{\"ready\":true}}");
    for _ in stdin().lock().lines() {
        let mut series = Vec::new();
        for (label, reader) in &mut readers {
            let frame = reader.latest().expect("it was published before");
            let mut out = vec![0; frame.data().len()];
            let calls = if out.len() < 4096 { 1000 } else { 5 };
            series.push(timed("latest()", label, 1000, || assert!(reader.latest().map_or(false, |frame| frame.valid()))));
            series.push(timed("a checked copy", label, calls, || {
                frame.copy_into(&mut out).expect("nobody writes");
            }));
        }
        println!("{{\"series\":[{}]}}", series.join(","));
    }
    Ok(())
}
