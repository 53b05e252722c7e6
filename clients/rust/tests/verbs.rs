//! The verbs on real rings, one prefix for each test.
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::time::Duration;
use streamem::{Error, Meta, Reader, Reference, Spec, State, Value, Writer};

const SOON: Duration = Duration::from_secs(30); // only so that what hangs ends
const NOW: Duration = Duration::ZERO;

fn prefix(test: &str) -> String {
    format!("trs{}-{}", std::process::id(), test)
}

fn bytes(prefix: &str) -> Spec {
    Spec::new("tensor", "|u1", &[16]).prefix(prefix)
}

fn pair(test: &str) -> Result<(Writer, Reader), Error> {
    let writer = Writer::create("s", &bytes(&prefix(test)))?;
    let reader = Reader::open_in(Some(&prefix(test)), "s", NOW)?;
    Ok((writer, reader))
}

fn sequences(reader: &mut Reader, n: usize) -> Vec<u64> {
    reader.last(n).unwrap().iter().map(|frame| frame.sequence()).collect()
}

#[test]
fn latest_newest_next_and_what_was_missed() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("order")?;
    assert!(reader.latest().is_none() && reader.next(NOW).is_none());
    for n in 1..=3 {
        writer.publish(&[n; 16], &Meta::default())?;
    }
    assert_eq!(reader.next(NOW).unwrap().sequence(), 3); // at first the newest
    assert_eq!(reader.latest().unwrap().sequence(), 3); // may repeat
    assert!(reader.newest(NOW).is_none()); // may not
    for n in 4..=20 {
        writer.publish(&[n; 16], &Meta::default())?;
    }
    let lapped = reader.next(NOW).unwrap();
    assert_eq!((lapped.sequence(), lapped.missed(), reader.missed()), (20, 16, 16));
    assert_eq!(lapped.copy()?, [20; 16]);
    writer.publish(&[21; 16], &Meta::default())?;
    writer.publish(&[22; 16], &Meta::default())?;
    assert_eq!(reader.frames(NOW).map(|frame| frame.sequence()).collect::<Vec<_>>(), [21, 22]);
    assert_eq!(sequences(&mut reader, 3), [20, 21, 22]);
    assert!(reader.last(8).unwrap_err().to_string().contains("`slots`"));
    Ok(())
}

#[test]
fn a_wait_ends_with_the_frame() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("wait")?;
    let waiting = std::thread::spawn(move || reader.next(SOON).map(|frame| frame.sequence()));
    std::thread::sleep(Duration::from_millis(20)); // mostly it waits by then; it is right either way
    writer.publish(&[0; 16], &Meta::default())?;
    assert_eq!(waiting.join().unwrap(), Some(1));
    Ok(())
}

#[test]
fn numbers_fields_and_arrays() -> Result<(), Error> {
    let spec = Spec::new("depth", "<u2", &[2, 3]).prefix(&prefix("array")).field("gain", "<f4", &[2], None).field(
        "exposure",
        "<i8",
        &[],
        Some("ns"),
    );
    let mut writer = Writer::create("s", &spec)?;
    let mut reader = Reader::open_in(Some(&prefix("array")), "s", NOW)?;
    let items: Vec<u8> = (1000u16..1006).flat_map(u16::to_le_bytes).collect();
    let mut fields: Vec<u8> = [0.5f32, -2.0].iter().flat_map(|n| n.to_le_bytes()).collect();
    fields.extend((-7i64).to_le_bytes());
    let meta = Meta { capture_time_ns: Some(5), fields: &fields, ..Meta::default() };
    writer.publish(&items, &meta)?;
    let frame = reader.latest().unwrap();
    let array = frame.array::<u16>()?;
    assert_eq!((array.shape(), array.get(&[1, 2]), array.get(&[2, 0]), array.get(&[1])), (&[2, 3][..], Some(1005), None, None));
    assert_eq!(array.iter().collect::<Vec<_>>(), [1000, 1001, 1002, 1003, 1004, 1005]);
    assert!(frame.array::<f32>().is_err());
    assert_eq!(frame.field("gain"), Some(Value::Float(vec![0.5, -2.0])));
    assert_eq!(frame.field("exposure"), Some(Value::Signed(vec![-7])));
    assert_eq!((frame.capture_time_ns(), frame.time_error_ns()), (Some(5), None));
    assert!(frame.copy_into(&mut [0; 11]).unwrap_err().to_string().contains("11"));
    // Its own shape, and fewer fields.
    writer.publish(&items[..4], &Meta { shape: Some(&[2, 1]), fields: &fields[..8], ..Meta::default() })?;
    let frame = reader.latest().unwrap();
    assert_eq!((frame.shape(), frame.fields().len(), frame.field("exposure")), (&[2, 1][..], 1, None));
    assert!(writer.publish(&items[..4], &Meta::default()).is_err());
    assert!(writer.publish(&items, &Meta { shape: Some(&[7]), ..Meta::default() }).is_err());
    Ok(())
}

#[test]
fn messages_say_which_frame_they_are_of() -> Result<(), Error> {
    let (mut camera, mut reader) = pair("refers")?;
    camera.publish(&[0; 16], &Meta { capture_time_ns: Some(70), time_error_ns: Some(8), clock_epoch: 9, ..Meta::default() })?;
    let frame = reader.latest().unwrap();
    let mut writer = Writer::create("boxes", &Spec::messages("json").capacity(64).prefix(&prefix("refers")))?;
    let mut boxes = Reader::open_in(Some(&prefix("refers")), "boxes", NOW)?;
    writer.publish(b"{\"n\": 1}", &Meta::result_of(&frame))?;
    let message = boxes.latest().unwrap();
    let reference = Reference { stream: "s".into(), generation: frame.generation(), sequence: 1, capture_time_ns: Some(70) };
    assert_eq!((message.refers_to().as_ref(), message.text()?), (Some(&reference), "{\"n\": 1}".into()));
    assert_eq!((message.capture_time_ns(), message.time_error_ns(), message.clock_epoch()), (Some(70), Some(8), 9));
    writer.publish(b"[]", &Meta { refers_to: Some(reference), ..Meta::default() })?;
    assert_eq!(boxes.latest().unwrap().capture_time_ns(), Some(70));
    writer.publish(b"[]", &Meta::default())?;
    let message = boxes.latest().unwrap();
    assert_eq!((message.refers_to(), message.fields_data().len(), message.shape()), (None, 0, &[2][..]));
    assert!(writer.publish(&[b' '; 65], &Meta::default()).unwrap_err().to_string().contains("payloadCapacity"));
    assert!(camera.publish(&[0; 16], &Meta::result_of(&frame)).unwrap_err().to_string().contains("cannot refer"));
    Ok(())
}

#[test]
fn a_stack_grows_beyond_the_ring() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("stack")?;
    assert!(reader.stack(3)?.sequences.is_empty());
    for n in 1..=4 {
        writer.publish(&[n; 16], &Meta::default())?;
    }
    assert_eq!(reader.stack(3)?.sequences, [2, 3, 4]); // of the ring, at the first call
    for n in 5..=20 {
        writer.publish(&[n; 16], &Meta::default())?;
        reader.stack(12)?;
    }
    let stack = reader.stack(12)?;
    assert_eq!((stack.sequences, stack.shape), ((9..=20).collect(), vec![16]));
    assert_eq!(stack.data, (9..=20).flat_map(|n| [n; 16]).collect::<Vec<u8>>());
    Ok(())
}

#[test]
fn nearest_in_time() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("nearest")?;
    for time in [Some(100), None, Some(200), Some(300)] {
        writer.publish(&[0; 16], &Meta { capture_time_ns: time, ..Meta::default() })?;
    }
    let found: Vec<_> = [0, 149, 150, 290, 999].iter().map(|time| reader.nearest(*time).unwrap().sequence()).collect();
    assert_eq!(found, [1, 1, 3, 4, 4]); // of two as near the newer
    Ok(())
}

#[test]
fn a_reader_follows_and_views_outlive() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("follow")?;
    writer.publish(&[1; 16], &Meta::default())?;
    let old = reader.next(NOW).unwrap();
    writer.publish(&[2; 16], &Meta::default())?;
    writer.renew(&Spec::new("tensor", "<f4", &[3]).prefix(&prefix("follow")))?;
    writer.publish(&[3; 12], &Meta::default())?;
    assert_eq!(reader.next(SOON).unwrap().copy()?, [2; 16]); // what is left comes first
    let new = reader.next(SOON).unwrap();
    assert_eq!((new.sequence(), new.copy()?, new.missed()), (1, vec![3; 12], 0));
    assert_eq!((old.copy()?, old.valid(), reader.state()), (vec![1; 16], true, State::Live));
    drop(writer);
    assert_eq!(reader.state(), State::Retired);
    assert_eq!(new.copy()?, [3; 12]);
    assert!(Reader::open_in(Some(&prefix("follow")), "s", NOW).is_err());
    Ok(())
}

#[test]
fn a_second_writer_is_refused_and_a_slot_given_up_costs_no_sequence() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("second")?;
    let refused = Writer::create("s", &bytes(&prefix("second"))).err().unwrap();
    assert_eq!(refused.errno(), libc::EBUSY);
    writer.acquire()?.payload().fill(9);
    let mut slot = writer.acquire()?;
    slot.payload().fill(7);
    assert_eq!(slot.commit(16, &Meta::default())?, 1);
    assert_eq!(reader.latest().unwrap().copy()?, [7; 16]);
    assert_eq!(writer.publish(&[0; 17], &Meta::default()).unwrap_err().errno(), libc::EMSGSIZE);
    Ok(())
}

#[test]
fn who_removes_the_name_gets_a_new_generation() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("gone")?;
    writer.publish(&[1; 16], &Meta::default())?;
    let before = reader.next(NOW).unwrap().generation();
    std::fs::remove_file(format!("/dev/shm/{}.s", prefix("gone"))).unwrap();
    while writer.generation() == before {
        writer.publish(&[2; 16], &Meta::default())?; // it looks once a second
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(reader.frames(SOON).any(|frame| frame.generation() == writer.generation()));
    Ok(())
}

/// Slots as a writer leaves them that dies in the middle, written by hand. Without the checks of `end` and `begin` in Ring::read,
/// and of `begin` in Frame::valid, a half-written frame is handed out here.
#[test]
fn slots_that_are_not_whole() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("slots")?;
    for n in 1..=3 {
        writer.publish(&[n; 16], &Meta::default())?;
    }
    let file = OpenOptions::new().write(true).open(format!("/dev/shm/{}.s", prefix("slots"))).unwrap();
    let shm = reader.descriptor().get("shm").unwrap().clone();
    let (slots, stride) = (shm.get("slotCount").unwrap().as_u64().unwrap(), shm.get("slotStride").unwrap().as_u64().unwrap());
    let put = |sequence: u64, at: u64, value: u64| file.write_all_at(&value.to_le_bytes(), 4096 + sequence % slots * stride + at).unwrap();
    let frame = reader.latest().unwrap();
    assert!(frame.valid());
    put(3, 0, 11); // begun again
    assert!(!frame.valid() && frame.copy().unwrap_err().is_lapped());
    assert!(reader.latest().is_none() && reader.next(NOW).is_none());
    put(3, 0, 3);
    put(3, 8, 0); // not ended
    assert!(reader.latest().is_none());
    assert_eq!(sequences(&mut reader, 3), [1, 2]);
    file.write_all_at(&6u64.to_le_bytes(), 128).unwrap(); // latest, but slot 6 was never written
    assert!(reader.latest().is_none());
    Ok(())
}

/// What keeps the lock is the descriptor: take out the loop in fork.rs, and the stream looks alive for as long as the child runs.
#[test]
fn a_forked_child_keeps_nothing_alive_and_writes_nothing() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("fork")?;
    writer.publish(&[1; 16], &Meta::default())?;
    let path = format!("/dev/shm/{}.s", prefix("fork"));
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = writer.publish(&[2; 16], &Meta::default()).map_err(|error| error.errno()) == Err(libc::EPERM);
        drop(writer); // takes nothing of the parent's with it
        let ring_is_there = std::path::Path::new(&path).exists();
        unsafe { libc::raise(if refused && ring_is_there { libc::SIGSTOP } else { libc::SIGKILL }) };
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    unsafe { libc::waitpid(child, &mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status), "the child could write, or its end ended the stream");
    assert_eq!(reader.state(), State::Live);
    writer.publish(&[3; 16], &Meta::default())?;
    drop(writer);
    let successor = Writer::create("s", &bytes(&prefix("fork"))); // the stopped child holds no lock
    unsafe { libc::kill(child, libc::SIGKILL) };
    unsafe { libc::waitpid(child, &mut status, 0) };
    successor.map(drop)
}

/// Readable when there is something to look at, and silent when it was looked at.
#[test]
fn a_descriptor_to_wait_on() -> Result<(), Error> {
    let (mut writer, mut reader) = pair("fd")?;
    let fd = reader.fd()?;
    let readable = |wait_ms| {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        unsafe { libc::poll(&mut poll, 1, wait_ms) == 1 }
    };
    let take = |reader: &mut Reader| loop {
        match reader.next(NOW) {
            Some(frame) => return frame.sequence(),
            None => assert!(readable(30_000)),
        }
    };
    for n in 1..=100 {
        writer.publish(&[0; 16], &Meta::default())?;
        assert_eq!(take(&mut reader), n);
    }
    writer.renew(&bytes(&prefix("fd")))?;
    writer.publish(&[0; 16], &Meta::default())?;
    assert_eq!((take(&mut reader), reader.fd()?), (1, fd));
    while reader.next(NOW).is_some() || readable(0) {} // ends: what was looked at makes it silent
    Ok(())
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    for (name, spec, word) in [
        ("Upper", bytes("p"), "stream name"),
        ("s", bytes("a.b"), "prefix"),
        ("s", bytes("p").slots(3), "slots"),
        ("s", Spec::new("tensor", "u9x", &[1]), "dtype"),
        ("s", Spec::new("picture", "|u1", &[1]), "kind"),
        ("s", Spec::new("tensor", "|u1", &[0]), "capacity"),
        ("s", bytes("p").member("rate", "{"), "JSON"),
        ("s", bytes("p").field("f", "x", &[], None), "fields"),
        ("s", bytes("p").capacity(1 << 40).slots(8), "available"),
    ] {
        let error = Writer::create(name, &spec).err().expect(word);
        assert!(error.to_string().contains(word), "{} does not say {}", error, word);
    }
}
