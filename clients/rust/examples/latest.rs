//! Prints the newest frame's sequence, shape, dtype and age: `latest NAME`.
use std::time::Duration;
use streamem::{Error, Json, Reader};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).expect("usage: latest NAME");
    let mut reader = Reader::open(&name, Duration::from_secs(5))?;
    let frame = match reader.latest() {
        Some(frame) => frame,
        None => {
            println!("no frame yet");
            return Ok(());
        }
    };
    let shape: Vec<String> = frame.shape().iter().map(u32::to_string).collect();
    let dtype = reader.descriptor().get("dtype").and_then(Json::as_str).unwrap_or("record");
    let age_ms = frame.age_ns() as f64 / 1e6;
    println!("sequence {} shape {} dtype {} age_ms {:.1}", frame.sequence(), shape.join("x"), dtype, age_ms);
    Ok(())
}
