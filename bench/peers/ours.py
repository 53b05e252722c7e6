# peer: {"contenders": [{"name": "streamem, Python, blocking", "mode": "blocking"}], "pip": ["numpy==2.4.6"]}
"""clients/python/streamem.py as it is: publish() from private memory, views that are asked valid() after the sum."""

import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "clients", "python"))
import streamem  # noqa: E402


class Writer:
    def __init__(self, setup):
        self.ring = streamem.create(setup.name, {"kind": "tensor", "dtype": "|u1", "shape": [setup.bytes]})
        self.put = self.ring.publish

    def close(self):
        self.ring.close()


class Reader:
    def __init__(self, setup):
        self.ring = streamem.open(setup.name, timeout=20)
        self.frame = None
        if setup.mode == "asyncio":
            self.loop, self.ready = asyncio.new_event_loop(), asyncio.Event()
            self.loop.add_reader(self.ring.fileno(), self.look)
            self.get = self.get_in_loop

    def get(self):
        self.frame = self.ring.newest(timeout=60)
        return self.frame and self.frame.data

    def look(self):
        self.frame = self.ring.newest(timeout=0)
        if self.frame is not None:
            self.loop.stop()

    def get_in_loop(self):
        self.loop.run_forever()
        return self.frame.data

    def done(self):
        whole, self.frame = self.frame.valid(), None
        return whole
