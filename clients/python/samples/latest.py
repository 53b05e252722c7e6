"""Prints the newest frame's sequence, shape, dtype and age: latest.py NAME."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # not needed beside streamem.py
import streamem

with streamem.open(sys.argv[1], timeout=5) as reader:
    frame = reader.latest()
    if frame is None:
        print("no frame yet")
    else:
        shape = "x".join(str(n) for n in frame.shape)
        dtype = frame.dtype if isinstance(frame.dtype, str) else "record"
        print("sequence %d shape %s dtype %s age_ms %.1f" % (frame.seq, shape, dtype, frame.age_ns / 1e6))
