"""Lines two streams up in time and prints which frames belong together: sync.py NAME NAME [COUNT]."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # not needed beside streamem.py
import streamem

names, count = sys.argv[1:3], int(sys.argv[3]) if len(sys.argv) > 3 else None
with streamem.sync(names, tolerance_ns=20000000, timeout=5) as sets:
    for taken, found in enumerate(sets, 1):
        members = [(name, found.frames[name].seq if found.frames[name] is not None else found.missing[name]) for name in names]
        print("time_ns %d %s" % (found.time_ns, " ".join("%s %s" % member for member in members)), flush=True)
        if taken == count:
            break
