"""A writer at full rate: matrix_writer.py PREFIX STREAM BYTES SLOTS SECONDS. Prints {"published"}.

Word i of frame s is (s + i) * WORD modulo 2**64, so that no frame mixed from two can pass.
"""

import array
import ctypes
import json
import sys
import time

import streamem

_libc = ctypes.CDLL(None)
_libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
WORD = 0x9E3779B97F4A7C15


class Words(object):
    """The payload of each frame. Frame s + 1 is frame s from its second word on, so all of them lie in one table."""

    def __init__(self, nbytes):
        self._nbytes = nbytes
        self._table = array.array("Q")
        self._first = 0
        self._view = memoryview(b"")

    def of(self, seq):
        start = self._start(seq)
        return self._view[start:start + self._nbytes]

    def are(self, seq, copy):
        """Whether the bytearray holds frame seq: by memcmp, so that checking does not cost more than copying."""
        start = self._start(seq)
        held = (ctypes.c_char * self._nbytes).from_buffer(copy)
        return _libc.memcmp(held, (ctypes.c_char * self._nbytes).from_buffer(self._table, start), self._nbytes) == 0

    def _start(self, seq):
        start = (seq - self._first) * 8
        if start < 0 or start + self._nbytes > len(self._view):
            self._fill(seq)
            start = 0
        return start

    def _fill(self, seq):
        count = self._nbytes // 8 + 4096
        self._first = seq
        self._table = array.array("Q", [n * WORD & 0xFFFFFFFFFFFFFFFF for n in range(seq, seq + count)])
        self._view = memoryview(self._table).cast("B")


def main(prefix, name, nbytes, slots, seconds):
    words = Words(nbytes)
    words.of(1)
    descriptor = {"kind": "tensor", "dtype": "|u1", "shape": [nbytes]}
    with streamem.create(name, descriptor, slots=slots, prefix=prefix) as writer:
        seq, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            seq = writer.publish(words.of(seq + 1))
    print(json.dumps({"published": seq}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *[int(word) for word in sys.argv[3:6]])
