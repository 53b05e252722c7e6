# peer: {"contenders": [{"name": "shared_memory and a Lock, by hand", "mode": "blocking"}], "pip": ["numpy==2.4.6"]}
"""What one writes by hand: a block of multiprocessing.shared_memory under a Lock, and an Event-like semaphore for each reader."""

import multiprocessing
from multiprocessing import shared_memory
from types import SimpleNamespace


def share(setup):
    return SimpleNamespace(
        block=shared_memory.SharedMemory(create=True, size=setup.bytes), lock=multiprocessing.Lock(),
        news=[multiprocessing.Semaphore(0) for _ in range(setup.readers)])


class Writer:
    def __init__(self, setup):
        self.shared, self.bytes = setup.shared, setup.bytes

    def put(self, frame):
        with self.shared.lock:
            self.shared.block.buf[:self.bytes] = frame
        for news in self.shared.news:
            news.release()

    def close(self):
        self.shared.block.close()
        self.shared.block.unlink()


class Reader:
    def __init__(self, setup):
        self.shared, self.bytes, self.news = setup.shared, setup.bytes, setup.shared.news[setup.index]

    def get(self):
        self.news.acquire()
        while self.news.acquire(block=False):  # only the newest is there
            pass
        with self.shared.lock:
            return bytes(self.shared.block.buf[:self.bytes])
