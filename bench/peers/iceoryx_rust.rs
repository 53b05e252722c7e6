// peer: {"contenders": [{"name": "iceoryx2, Rust, event", "mode": "event"}, {"name": "iceoryx2, Rust, event, history of 7", "mode": "event-history"}, {"name": "iceoryx2, Rust, busy-poll", "mode": "busy-poll", "readers": [1]}], "crates": {"iceoryx2": "0.10.0"}}
//! iceoryx2's own crate, linked into peer.h's turns: publish-subscribe of a byte slice, loaned, copied into and sent; an event for
//! each frame where the reader sleeps, and receive() again and again where it does not. Four samples waiting, the oldest goes.
//! A reader that keeps up leaves the writer two or three samples to go round in, which stay in the cache; with a history of 7 it keeps
//! as many frames as our ring of 8 slots does.

use iceoryx2::port::{listener::Listener, notifier::Notifier, publisher::Publisher, subscriber::Subscriber};
use iceoryx2::prelude::*;
use iceoryx2::sample::Sample;
use std::cell::RefCell;
use std::ffi::{c_char, c_int, CStr};

const HELD: usize = 4;
const HISTORY: usize = 7;

/// struct peer_setup of peer.h
#[repr(C)]
pub struct Setup {
    name: *const c_char,
    mode: *const c_char,
    bytes: u64,
    readers: c_int,
}

type Service = ipc::Service;

enum Side {
    Writer(Publisher<Service, [u8], ()>, Option<Notifier<Service>>, usize),
    Reader(Subscriber<Service, [u8], ()>, Option<Listener<Service>>),
}

thread_local! {
    static NODE: RefCell<Option<Node<Service>>> = const { RefCell::new(None) };
    static SIDE: RefCell<Option<Side>> = const { RefCell::new(None) };
    static TAKEN: RefCell<Option<Sample<Service, [u8], ()>>> = const { RefCell::new(None) };
}

fn open(setup: &Setup, writes: bool) -> Side {
    set_log_level(LogLevel::Fatal);
    let text = |pointer| unsafe { CStr::from_ptr(pointer) }.to_str().unwrap();
    let node = NodeBuilder::new().signal_handling_mode(SignalHandlingMode::Disabled).create::<Service>().unwrap();
    let name: ServiceName = text(setup.name).try_into().unwrap();
    let mode = text(setup.mode);
    let history = if mode == "event-history" { HISTORY } else { 0 };
    let data = node
        .service_builder(&name)
        .publish_subscribe::<[u8]>()
        .payload_alignment(Alignment::new(64).unwrap())
        .max_subscribers(64)
        .subscriber_max_buffer_size(HELD.max(history))
        .history_size(history)
        .enable_safe_overflow(true)
        .open_or_create()
        .unwrap();
    let event = (mode != "busy-poll")
        .then(|| node.service_builder(&name).event().max_listeners(64).open_or_create().unwrap());
    let bytes = setup.bytes as usize;
    let side = if writes {
        let publisher = data.publisher_builder().initial_max_slice_len(bytes).create().unwrap();
        Side::Writer(publisher, event.map(|e| e.notifier_builder().create().unwrap()), bytes)
    } else {
        let subscriber = data.subscriber_builder().create().unwrap();
        Side::Reader(subscriber, event.map(|e| e.listener_builder().create().unwrap()))
    };
    NODE.set(Some(node));
    side
}

#[no_mangle]
pub extern "C" fn peer_open_writer(setup: &Setup) {
    SIDE.set(Some(open(setup, true)));
}

#[no_mangle]
pub extern "C" fn peer_open_reader(setup: &Setup) {
    SIDE.set(Some(open(setup, false)));
}

#[no_mangle]
pub extern "C" fn peer_put(payload: *const u8) {
    SIDE.with_borrow(|side| {
        let Some(Side::Writer(publisher, notifier, bytes)) = side else { unreachable!() };
        let payload = unsafe { std::slice::from_raw_parts(payload, *bytes) };
        publisher.loan_slice_uninit(*bytes).unwrap().write_from_slice(payload).send().unwrap();
        if let Some(notifier) = notifier {
            notifier.notify().unwrap();
        }
    })
}

#[no_mangle]
pub extern "C" fn peer_get() -> *const u8 {
    SIDE.with_borrow(|side| {
        let Some(Side::Reader(subscriber, listener)) = side else { unreachable!() };
        loop {
            if let Some(sample) = subscriber.receive().unwrap() {
                let bytes = sample.payload().as_ptr();
                TAKEN.set(Some(sample));
                return bytes;
            }
            match listener {
                Some(listener) => drop(listener.blocking_wait(|_| {}).unwrap()),
                None => std::hint::spin_loop(),
            }
        }
    })
}

#[no_mangle]
pub extern "C" fn peer_done() -> c_int {
    TAKEN.set(None);
    1
}

#[no_mangle]
pub extern "C" fn peer_close_writer() {
    SIDE.set(None);
    NODE.set(None);
}
