# peer: {"contenders": [{"name": "the ancestor", "mode": "blocking"}], "pip": ["numpy==2.4.6", "posix_ipc==1.3.2"], "asked": "STREAMEM_PYTHON"}
"""The Python streamem that came before, from the checkout that STREAMEM_PYTHON names: one block, semaphores, a message queue to sign in."""

import os
import sys
import time

import numpy
import posix_ipc

sys.path.insert(0, os.environ["STREAMEM_PYTHON"])
from src.memory import SharedFrame  # noqa: E402


def share(setup):
    """A name of its own: a queue that a killed writer left takes sign-ins that nobody reads."""
    return "%s-%d" % (setup.name, os.getpid())


class Writer:
    def __init__(self, setup):
        self.shared = SharedFrame(setup.shared, (setup.bytes,), mode="w")
        deadline = time.monotonic() + 15
        while len(self.shared.sems) < setup.readers and time.monotonic() < deadline:
            time.sleep(0.01)

    def put(self, frame):
        self.shared.write(numpy.frombuffer(frame, numpy.uint8), time.monotonic_ns())

    def close(self):
        for part in self.shared.meta:
            posix_ipc.unlink_shared_memory(getattr(self.shared, part + "_name"))
            posix_ipc.unlink_semaphore(getattr(self.shared, part + "_sem_name"))
        for semaphore in self.shared.sems.values():
            semaphore.unlink()
        posix_ipc.unlink_message_queue(self.shared.comm.q_name)
        os._exit(0)  # its thread waits for readers for ever


def await_queue(name):
    """The writer makes it last: a reader that comes between that and the memory ends with an error, and with it the run."""
    while True:
        try:
            return posix_ipc.MessageQueue(name).close()
        except posix_ipc.ExistentialError:
            time.sleep(0.01)


class Reader:
    def __init__(self, setup):
        await_queue("/" + setup.shared)
        self.name = "r%d" % setup.index
        self.shared = SharedFrame(setup.shared, mode="r")
        self.shared.signin(self.name)

    def get(self):
        return self.shared.read(self.name)[0]
