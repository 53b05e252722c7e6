"""Prints one line of JSON for each set: sync_sets.py PREFIX MODE TOLERANCE_NS DRIVER NAMES... (driver "-": the slowest).

See ../vectors/sync/README.md. Checks every word of each frame; ends when the driver has ended and a second brought no set.
"""

import binascii
import json
import struct
import sys

import streamem


def member(frame):
    words = struct.unpack("<16I", bytes(frame.data))
    if words != tuple((frame.seq * 16 + i) & 0xFFFFFFFF for i in range(16)) or not frame.valid():
        sys.exit("frame %d of %s is not whole: %s" % (frame.seq, frame.stream, binascii.hexlify(frame.data)))
    return {"generation": frame.generation, "sequence": str(frame.seq)}


def line(found):
    members = dict(found.missing)
    members.update((name, member(frame)) for name, frame in found.frames.items() if frame is not None)
    return json.dumps({"time_ns": str(found.time_ns), "driver": found.driver, "members": members})


def main(prefix, mode, tolerance_ns, driver, *names):
    with streamem.sync(names, int(tolerance_ns), mode, None if driver == "-" else driver, 10, prefix) as sets:
        with streamem.open(sets.driver, prefix=prefix) as watched:
            while True:
                found = sets.next(timeout=1)
                if found is not None:
                    print(line(found), flush=True)
                elif watched.state in ("retired", "dead"):
                    return


main(*sys.argv[1:])
