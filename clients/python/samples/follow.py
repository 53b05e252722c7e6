"""Takes each frame and prints shape, rate and missed frames once a second: follow.py NAME [COUNT]."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # not needed beside streamem.py
import streamem

count = int(sys.argv[2]) if len(sys.argv) > 2 else None
with streamem.open(sys.argv[1], timeout=5) as reader:
    start, frames, missed = time.time(), 0, 0
    for taken, frame in enumerate(reader, 1):
        frames, missed = frames + 1, missed + frame.missed
        seconds = time.time() - start
        if seconds >= 1 or taken == count:
            shape = "x".join(str(n) for n in frame.shape)
            print("shape %s rate %.1f missed %d" % (shape, frames / seconds, missed), flush=True)
            start, frames, missed = time.time(), 0, 0
        if taken == count:
            break
