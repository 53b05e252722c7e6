//! Prints the newest N frames as one array: `stack NAME N`.
use std::time::Duration;
use streamem::{Error, Reader};

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    let (name, n) = (words.get(1).expect("usage: stack NAME N"), words.get(2).expect("usage: stack NAME N"));
    let n = n.parse().expect("N is a number");
    let mut reader = Reader::open(name, Duration::from_secs(5))?;
    let mut stack = reader.stack(n)?;
    while stack.sequences.len() < n {
        reader.next(None); // beyond what the ring holds it fills as frames are taken
        stack = reader.stack(n)?;
    }
    let list = |numbers: Vec<String>, between: &str| numbers.join(between);
    let shape = list([n as u32].iter().chain(&stack.shape).map(u32::to_string).collect(), "x");
    println!("stack {} sequences {}", shape, list(stack.sequences.iter().map(u64::to_string).collect(), " "));
    Ok(())
}
