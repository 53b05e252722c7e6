"""Publishes JSON messages, ten a second: publish.py NAME [COUNT]."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # not needed beside streamem.py
import streamem

count = int(sys.argv[2]) if len(sys.argv) > 2 else 10
with streamem.create(sys.argv[1], {"kind": "message"}) as writer:
    for n in range(1, count + 1):
        writer.publish({"n": n})
        print("published %d" % n, flush=True)
        time.sleep(0.1)
