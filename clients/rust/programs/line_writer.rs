//! native/test/writer.c in Rust, as far as every language has it: `line_writer PREFIX SLOTS BYTES [NAME]` writes the stream NAME, else "s".
//! Says "trying", then "ready <generation>" or "error <errno> <words>"; then a line for each that it is given.
use std::io::{stdin, BufRead};
use streamem::{Error, Meta, Spec, Writer};

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn say(said: Result<String, Error>) {
    println!("{}", said.unwrap_or_else(|error| format!("error {} {}", error.errno(), error)));
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let (slots, bytes) = (words[2].parse().expect("SLOTS"), words[3].parse().expect("BYTES"));
    let spec = Spec::new("tensor", "|u1", &[bytes]).prefix(&words[1]).slots(slots);
    println!("trying");
    let mut writer = match Writer::create(words.get(4).map_or("s", String::as_str), &spec) {
        Ok(writer) => writer,
        Err(error) => {
            say(Err(error));
            std::process::exit(1);
        }
    };
    println!("ready {}", hex(writer.generation()));
    for line in stdin().lock().lines().map_while(Result::ok) {
        match &line[..] {
            "close" => break,
            "renew" => {
                let renewed = writer.renew(&spec);
                say(renewed.map(|()| format!("generation {}", hex(writer.generation()))));
            }
            _ => say(writer.publish(&[0; 8], &Meta::default()).map(|sequence| format!("sequence {}", sequence))),
        }
    }
    writer.close();
    println!("closed");
}
