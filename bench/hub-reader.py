"""hub-reader.c in Python: a thread for each stream. argv: names of streams."""

import json
import os
import platform
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "clients", "python"))
import streamem  # noqa: E402

names = sys.argv[1:]
lock = threading.Lock()
found = {name: {"latency": [], "received": 0, "missed": 0} for name in names}


def follow(name):
    reader = streamem.open(name, timeout=10)
    while True:
        frame = reader.next()
        taken = frame.data[0]
        ns = time.monotonic_ns() - frame.publish_time_ns
        with lock:
            mine = found[name]
            mine["latency"].append(ns)
            mine["received"] += 1
            mine["missed"] += frame.missed
        del taken, frame


for name in names:
    threading.Thread(target=follow, args=(name,), daemon=True).start()
print(json.dumps({"ready": True, "versions": {"python": platform.python_version()}}), flush=True)
for _ in sys.stdin:
    with lock:
        series = [{"case": name, "contender": "Python", "condition": what, "samples": value if what == "latency" else [value]}
                  for name in names for what, value in found[name].items()]
        for name in names:
            found[name] = {"latency": [], "received": 0, "missed": 0}
    print(json.dumps({"series": series}), flush=True)
