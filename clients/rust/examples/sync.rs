//! Lines two streams up in time and prints which frames belong together: `sync NAME NAME [COUNT]`.
use std::time::Duration;
use streamem::{Error, Sync, SyncOptions};

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let names = words.get(..2).expect("usage: sync NAME NAME [COUNT]");
    let count = words.get(2).map_or(u64::MAX, |count| count.parse().expect("COUNT is a number"));
    let options = SyncOptions { tolerance_ns: 20_000_000, ..SyncOptions::default() };
    let mut sync = Sync::open(&[&names[0], &names[1]], &options, Duration::from_secs(5))?;
    for _ in 0..count {
        let set = sync.next(None)?.expect("it waits for ever");
        let members = set.members.iter().map(|(name, member)| match member {
            Ok(frame) => format!("{} {}", name, frame.sequence()),
            Err(reason) => format!("{} {}", name, reason),
        });
        println!("time_ns {} {}", set.time_ns, members.collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
