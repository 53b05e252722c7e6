//! Torn frames: `torn PREFIX write` publishes at full rate into four slots until its input ends; `torn PREFIX read DELIVERIES
//! REJECTIONS` takes frames by every verb until it was given so many whole ones, had so many turned down by the checks and its
//! input has ended, or until it finds a torn one. Prints {"generation"} for each one met and in the end {"deliveries",
//! "rejections", "torn", "generations"}.
use std::collections::HashSet;
use std::io::Read;
use std::time::Duration;
use streamem::{Error, Frame, Meta, Reader, Spec, Writer};

const BYTES_MAX: usize = 4096;

/// Of which every payload, every field and every time is made: a frame mixed from two writes cannot pass.
fn word(sequence: u64, i: u64) -> u64 {
    sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(i.wrapping_mul(0xbf58_476d_1ce4_e5b9))
}

/// 64 B to 4 KiB, another size for each sequence.
fn bytes_of(sequence: u64) -> usize {
    64 + (word(sequence, 0) >> 40) as usize % (BYTES_MAX / 64) * 64
}

/// Finished when it has.
fn until_input_ends() -> std::thread::JoinHandle<std::io::Result<usize>> {
    std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()))
}

fn write(prefix: &str) -> Result<(), Error> {
    let spec = Spec::new("tensor", "<u8", &[8]).field("a", "<u8", &[3], None).slots(4).capacity(BYTES_MAX as u64).prefix(prefix);
    let mut writer = Writer::create("torn", &spec)?;
    println!("ready");
    let ends = until_input_ends();
    while !ends.is_finished() {
        let sequence = writer.sequence() + 1;
        let bytes = bytes_of(sequence);
        let payload: Vec<u8> = (0..bytes as u64 / 8).flat_map(|i| word(sequence, i).to_le_bytes()).collect();
        let fields: Vec<u8> = (2000..2001 + sequence % 3).flat_map(|i| word(sequence, i).to_le_bytes()).collect();
        let shape = [bytes as u32 / 8];
        let meta = Meta {
            device_time: Some(word(sequence, 1001)),
            capture_time_ns: Some(sequence * 1000),
            time_error_ns: Some(word(sequence, 1002)),
            clock_epoch: sequence as u32,
            shape: Some(&shape),
            fields: &fields,
            refers_to: None,
        };
        writer.publish(&payload, &meta)?;
    }
    Ok(())
}

/// The numbers and fields are copies: they are of one frame even where its payload is gone by now.
fn numbers_hold(frame: &Frame) -> bool {
    let sequence = frame.sequence();
    let fields: Vec<u8> = (2000..2001 + sequence % 3).flat_map(|i| word(sequence, i).to_le_bytes()).collect();
    let times = (frame.device_time(), frame.capture_time_ns(), frame.time_error_ns());
    times == (Some(word(sequence, 1001)), Some(sequence * 1000), Some(word(sequence, 1002)))
        && frame.clock_epoch() == sequence as u32
        && frame.data().len() == bytes_of(sequence)
        && frame.shape() == [bytes_of(sequence) as u32 / 8]
        && frame.fields_data() == fields
}

#[derive(Default)]
struct Tally {
    deliveries: u64,
    rejections: u64,
    torn: u64,
}

impl Tally {
    fn count(&mut self, is_valid: bool, is_whole: bool) {
        match (is_valid, is_whole) {
            (false, _) => self.rejections += 1,
            (true, true) => self.deliveries += 1,
            (true, false) => self.torn += 1,
        }
    }

    fn look(&mut self, frame: &Frame, moment: u64) {
        let sequence = frame.sequence();
        if !numbers_hold(frame) {
            self.torn += 1;
        } else if moment % 2 == 0 {
            // Half of the view, a moment in which the writer may come back to the slot, the other half, then the question.
            let (view, words) = (frame.data(), frame.data().len() / 8);
            let hold = |range: std::ops::Range<usize>| {
                range.fold(0, |differ, i| differ | u64::from_le_bytes(view.load(i * 8).unwrap()) ^ word(sequence, i as u64))
            };
            let before = hold(0..words / 2);
            (0..moment % 1024).for_each(|_| std::hint::spin_loop());
            let differences = before | hold(words / 2..words);
            self.count(frame.valid(), differences == 0);
        } else {
            (0..moment % 1024).for_each(|_| std::hint::spin_loop());
            let copy = frame.copy();
            let words = copy.as_deref().unwrap_or_default().chunks_exact(8).enumerate();
            let differences =
                words.fold(0, |differ, (i, bytes)| differ | u64::from_le_bytes(bytes.try_into().unwrap()) ^ word(sequence, i as u64));
            self.count(copy.is_ok(), differences == 0);
        }
    }
}

fn read(prefix: &str, deliveries: u64, rejections: u64) -> Result<(), Error> {
    let mut reader = Reader::open_in(Some(prefix), "torn", Duration::from_secs(10))?;
    let (mut tally, mut generations) = (Tally::default(), HashSet::new());
    let ends = until_input_ends();
    for i in 0.. {
        if tally.torn > 0 || tally.deliveries >= deliveries && tally.rejections >= rejections && ends.is_finished() {
            break;
        }
        let wait = Duration::from_millis(100);
        let frames: Vec<Frame> = match i % 5 {
            0 => reader.latest().into_iter().collect(),
            1 => reader.next(wait).into_iter().collect(),
            2 => reader.newest(wait).into_iter().collect(),
            3 => reader.nearest(word(i, 5) >> 1).into_iter().collect(),
            _ => reader.last(3)?,
        };
        if let Some(generation) = frames.first().map(Frame::generation).filter(|one| generations.insert(*one)) {
            println!("{{\"generation\": \"{}\"}}", generation.iter().map(|byte| format!("{:02x}", byte)).collect::<String>());
        }
        for (k, frame) in frames.iter().enumerate() {
            tally.look(frame, word(i, k as u64) >> 50);
        }
    }
    let Tally { deliveries, rejections, torn } = tally;
    println!(
        "{{\"deliveries\": {}, \"rejections\": {}, \"torn\": {}, \"generations\": {}}}",
        deliveries,
        rejections,
        torn,
        generations.len()
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().collect();
    match &words[2][..] {
        "write" => write(&words[1]),
        _ => read(&words[1], words[3].parse().expect("DELIVERIES"), words[4].parse().expect("REJECTIONS")),
    }
}
