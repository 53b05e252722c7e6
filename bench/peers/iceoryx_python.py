# peer: {"contenders": [{"name": "iceoryx2, Python, event", "mode": "blocking"}, {"name": "iceoryx2, Python, event, history of 7", "mode": "blocking-history"}], "pip": ["numpy==2.4.6", "iceoryx2==0.10.0"]}
"""iceoryx2's Python package: publish-subscribe of a slice for the bytes, an event to wait on. Four samples waiting, the oldest goes; with a
history of 7 as many frames are kept as our ring of 8 slots does, and the writer's memory is as cold."""

import ctypes
from importlib.metadata import version

import iceoryx2

versions = {"iceoryx2 (PyPI)": version("iceoryx2")}
HELD, HISTORY = 4, 7


def services(setup):
    iceoryx2.set_log_level(iceoryx2.LogLevel.Fatal)
    node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
    name = iceoryx2.ServiceName.new(setup.name)
    history = HISTORY if setup.mode == "blocking-history" else 0
    data = (node.service_builder(name).publish_subscribe(iceoryx2.Slice[ctypes.c_uint8]).payload_alignment(iceoryx2.Alignment.new(64))
            .max_subscribers(64).subscriber_max_buffer_size(max(HELD, history)).history_size(history).enable_safe_overflow(True).open_or_create())
    event = node.service_builder(name).event().max_listeners(64).open_or_create()
    return node, data, event


class Writer:
    def __init__(self, setup):
        self.services = _, data, event = services(setup)
        self.bytes = setup.bytes
        self.publisher = data.publisher_builder().initial_max_slice_len(setup.bytes).create()
        self.notifier = event.notifier_builder().create()

    def put(self, frame):
        sample = self.publisher.loan_slice_uninit(self.bytes)
        ctypes.memmove(sample.payload_ptr, ctypes.addressof(ctypes.c_char.from_buffer(frame)), self.bytes)
        sample.assume_init().send()
        self.notifier.notify()


class Reader:
    def __init__(self, setup):
        self.services = _, data, event = services(setup)
        self.subscriber = data.subscriber_builder().create()
        self.listener = event.listener_builder().create()
        self.sample = None

    def get(self):
        self.sample = self.subscriber.receive()
        if self.sample is None:
            self.listener.blocking_wait()
            self.sample = self.subscriber.receive()
        return self.sample and self.sample.payload().as_memory_view()

    def done(self):
        self.sample.delete()
        self.sample = None
        return True
