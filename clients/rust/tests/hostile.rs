//! A ring whose every byte may be anything: readers give frames or errors, and never panic, hang, or touch memory outside the file.
use std::fs::{read, remove_file, write};
use std::time::Duration;
use streamem::{Meta, Reader, Spec, Writer};

const NOW: Duration = Duration::ZERO;

/// All verbs on one file; how many frames were given. Whatever is wrong inside of it panics or dies of SIGSEGV.
fn read_all(path: &str) -> Option<usize> {
    let mut reader = Reader::open(path, NOW).ok()?;
    let mut frames: Vec<_> = reader.latest().into_iter().chain(reader.next(NOW)).chain(reader.nearest(1 << 40)).collect();
    for n in 1..=3 {
        frames.extend(reader.last(n).unwrap_or_default());
    }
    let _ = (reader.state(), reader.stack(2), reader.newest(NOW), reader.descriptor().rate());
    for frame in &frames {
        let _ = (frame.copy(), frame.fields(), frame.refers_to(), frame.age_ns(), frame.text());
        let _ = frame.array::<u16>().map(|array| array.iter().take(1000).count());
        let _ = (frame.data().iter().count(), frame.shape().len());
    }
    Some(frames.len())
}

/// To see it fail, take any rule out of header.rs, or the check of payload_bytes out of Ring::read.
#[test]
fn any_bytes_in_headers_and_descriptor() {
    let prefix = format!("trs{}-hostile", std::process::id());
    let spec = Spec::new("depth", "<u2", &[2, 3]).prefix(&prefix).slots(4).field("gain", "<f4", &[2], None);
    let mut writer = Writer::create("s", &spec).unwrap();
    for _ in 0..6 {
        writer.publish(&[1; 12], &Meta { fields: &[2; 8], ..Meta::default() }).unwrap();
    }
    let whole = read(format!("/dev/shm/{}.s", prefix)).unwrap();
    drop(writer);
    let path = std::env::temp_dir().join(prefix).to_str().unwrap().to_string();
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let (mut opened, mut given) = (0, 0);
    for _ in 0..6000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random(3) {
            // In the segment header, the descriptor, or a slot's header: words of 4 or 8 bytes that are near a limit, or anything.
            let at = match random(3) {
                0 => random(160),
                1 => 256 + random(600),
                _ => 4096 + random(4) * 256 + random(128),
            };
            let values = [0, 1, 2, u64::MAX, u64::MAX - 63, 1 << 31, 1 << 32, 1 << 63, random(1 << 20) as u64];
            let value = values[random(values.len())].to_le_bytes();
            let width = [1, 4, 8][random(3)];
            let at = at / width * width;
            bytes[at..at + width].copy_from_slice(&value[..width]);
        }
        if random(20) == 0 {
            bytes.truncate(random(bytes.len()));
        }
        write(&path, &bytes).unwrap();
        if let Some(frames) = read_all(&path) {
            opened += 1;
            given += frames;
        }
    }
    remove_file(&path).unwrap();
    assert!(opened > 1000 && given > 1000 && opened < 6000, "{} opened, {} frames: the changes miss their aim", opened, given);
}
