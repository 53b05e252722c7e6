"""The Python reader against plain copies out of the same mapping: one operation per frame of the ring "feed", drawn at
random, so that each meets a frame that another process has just written. Speaks the protocol of program.h."""

import ctypes
import json
import mmap
import os
import platform
import random
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "clients", "python"))
import streamem  # noqa: E402

FRAMES = 45  # a round
HOT_CALLS = 300
now = time.perf_counter_ns

try:
    import numpy
except ImportError:
    numpy = None

reader = streamem.open("feed", timeout=10)
first = reader.next(timeout=10)
with open(reader.descriptor["shm"]["path"], "rb") as ring_file:
    plain = mmap.mmap(ring_file.fileno(), 0, access=mmap.ACCESS_READ)
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
with open(reader.descriptor["shm"]["path"], "rb") as ring_file:
    base = libc.mmap(None, len(plain), mmap.PROT_READ, mmap.MAP_SHARED, ring_file.fileno(), 0)
libc.memcpy.restype = None
libc.memcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
out = bytearray(first.nbytes)
out_address = ctypes.addressof(ctypes.c_char.from_buffer(out))
SLOTS_OFFSET, SLOT_STRIDE = struct.unpack_from("<QQ", plain, 40)
SLOT_COUNT, = struct.unpack_from("<I", plain, 64)
PAYLOAD_OFFSET, = struct.unpack_from("<I", plain, 80)
plain[:]  # both mappings touched, as the reader's is
ctypes.string_at(base, len(plain))


def where(frame):
    """Offset of the payload in the file."""
    return SLOTS_OFFSET + frame.seq % SLOT_COUNT * SLOT_STRIDE + PAYLOAD_OFFSET


def by_bytes(frame, at):
    return bytes(plain[at:at + frame.nbytes])


def by_copy(frame, _):
    return frame.copy()


def by_memcpy(frame, at):
    libc.memcpy(out_address, base + at, frame.nbytes)


def by_copy_out(frame, _):
    frame.copy(out)


def by_latest(_, __):
    frame = reader.latest()
    frame.data
    return frame.valid()


def by_latest_array(_, __):
    frame = reader.latest()
    frame.array
    return frame.valid()


with_numpy = ", NumPy" if numpy else ", standard library"
COPY, OUT, LOOK = "an owned copy of 1080p", "1080p into the caller's memory", "latest(), a view, valid()"
operations = [
    (COPY, "bytes(mmap[...])" + with_numpy, by_bytes),
    (COPY, "copy()" + with_numpy, by_copy),
    (OUT, "memcpy" + with_numpy, by_memcpy),
    (OUT, "copy(out)" + with_numpy, by_copy_out),
    (LOOK, "frame.data" + with_numpy, by_latest)] + ([(LOOK, "frame.array" + with_numpy, by_latest_array)] if numpy else [])
assert bytes(plain[where(first):where(first) + 64]) == bytes(first.data[:64]), "where() is wrong"


def one_round():
    series = {}
    todo = []
    for _ in range(FRAMES):
        todo = todo or random.sample(operations, len(operations))
        case, contender, call = todo.pop()
        frame = reader.newest(timeout=5)
        at = where(frame)
        start = now()
        kept = call(frame, at)
        end = now()
        del kept
        series.setdefault((case, contender, "30 Hz"), []).append(end - start)
        if case == LOOK:
            start = now()
            for _ in range(HOT_CALLS):
                call(frame, at)
            series.setdefault((case, contender, "hot"), []).append((now() - start) / HOT_CALLS)
    return [dict(zip(("case", "contender", "condition"), key), samples=samples) for key, samples in series.items()]


print(json.dumps({"ready": True, "versions": {"python": platform.python_version(), "numpy": numpy and numpy.__version__}}), flush=True)
for line in sys.stdin:
    print(json.dumps({"series": one_round()}), flush=True)
