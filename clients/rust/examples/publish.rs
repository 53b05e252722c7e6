//! Publishes JSON messages, ten a second: `publish NAME [COUNT]`.
use std::time::Duration;
use streamem::{Error, Meta, Spec, Writer};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).expect("usage: publish NAME [COUNT]");
    let count = std::env::args().nth(2).map_or(10, |count| count.parse().expect("COUNT is a number"));
    let mut writer = Writer::create(&name, &Spec::messages("json"))?;
    for n in 1..=count {
        writer.publish(format!("{{\"n\": {}}}", n).as_bytes(), &Meta::default())?;
        println!("published {}", n);
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
