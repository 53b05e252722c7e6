//! The Rust runner of clients/vectors (see its README): one line of JSON for each ring file named on the command line.
use streamem::{Error, Frame, Reader, Reference, State};

fn text(text: &str) -> String {
    let escaped = text.chars().map(|c| if c < ' ' || c == '"' || c == '\\' { format!("\\u{:04x}", c as u32) } else { c.into() });
    format!("\"{}\"", escaped.collect::<String>())
}

fn hex(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.iter().map(|byte| format!("{:02x}", byte)).collect::<String>())
}

fn time(time: Option<u64>) -> String {
    time.map_or("null".into(), |time| format!("\"{}\"", time))
}

fn reference(r: Reference) -> String {
    let capture = time(r.capture_time_ns);
    let (stream, generation, sequence) = (text(&r.stream), hex(&r.generation), time(Some(r.sequence)));
    format!("{{\"stream\": {}, \"generation\": {}, \"sequence\": {}, \"captureTimeNs\": {}}}", stream, generation, sequence, capture)
}

fn frame(frame: Frame) -> Result<String, Error> {
    let members = [
        ("seq", time(Some(frame.sequence()))),
        ("dimensions", frame.dimensions().to_string()),
        ("shape", format!("{:?}", frame.shape())),
        ("deviceTime", time(frame.device_time())),
        ("captureTimeNs", time(frame.capture_time_ns())),
        ("timeErrorNs", time(frame.time_error_ns())),
        ("clockEpoch", frame.clock_epoch().to_string()),
        ("publishTimeNs", time(Some(frame.publish_time_ns()))),
        ("publishUtcNs", time(Some(frame.publish_utc_ns()))),
        ("fields", hex(frame.fields_data())),
        ("refersTo", frame.refers_to().map_or("null".into(), reference)),
        ("payload", hex(&frame.copy()?)),
    ];
    Ok(format!("{{{}}}", members.map(|(name, value)| format!("\"{}\": {}", name, value)).join(", ")))
}

fn answer(path: &str) -> Result<String, Error> {
    let mut reader = Reader::open(path, std::time::Duration::ZERO)?;
    let latest = reader.latest().map_or(Ok("null".into()), frame)?;
    let mut last = Vec::new();
    for n in 1..=3 {
        let sequences: Vec<String> = reader.last(n)?.iter().map(|frame| time(Some(frame.sequence()))).collect();
        last.push(format!("\"{}\": [{}]", n, sequences.join(", ")));
    }
    let (generation, retired) = (hex(&reader.generation()), reader.state() == State::Retired);
    let ring = format!("\"generation\": {}, \"retired\": {}, \"descriptor\": {}", generation, retired, reader.descriptor().text());
    Ok(format!("\"open\": \"ok\", {}, \"latest\": {}, \"last\": {{{}}}", ring, latest, last.join(", ")))
}

fn main() {
    for path in std::env::args().skip(1) {
        let answer = answer(&path).unwrap_or_else(|error| format!("\"open\": \"error\", \"error\": {}", text(&error.to_string())));
        println!("{{\"file\": {}, {}}}", text(path.rsplit('/').next().unwrap_or("")), answer);
    }
}
