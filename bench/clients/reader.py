"""latest() with valid(), and a checked copy into the caller's memory. Speaks the protocol of program.h."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "clients", "python"))
import streamem  # noqa: E402

now = time.perf_counter_ns
readers = [(label, streamem.open("clients-" + label.lower().replace(" ", ""), timeout=10)) for label in ("64 B", "720p", "1080p")]


def timed(case, calls, call):
    start = now()
    for _ in range(calls):
        call()
    return {"case": case, "contender": "Python", "condition": "hot", "samples": [(now() - start) / calls]}


def one_round():
    for label, reader in readers:
        frame = reader.latest()
        out = bytearray(frame.nbytes)
        yield timed("latest(), " + label, 1000, lambda: reader.latest().valid())
        yield timed("a checked copy, " + label, 1000 if frame.nbytes < 4096 else 5, lambda: frame.copy(out))


print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    print(json.dumps({"series": list(one_round())}), flush=True)
