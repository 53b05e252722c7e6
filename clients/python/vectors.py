"""Reads the ring files given as arguments and prints what this client makes of each, one line of JSON per file.

See ../vectors/README.md. It compares nothing; that is done for all languages alike.
"""

import binascii
import json
import os
import sys

import streamem


def text(number):
    return None if number is None else str(number)


def reference(r):
    return r and {"stream": r.stream, "generation": r.generation, "sequence": text(r.sequence),
                  "captureTimeNs": text(r.capture_time_ns)}


def frame(f):
    return f and {
        "seq": str(f.seq),
        "dimensions": f.dimensions,
        "shape": list(f.shape),
        "deviceTime": text(f.device_time),
        "captureTimeNs": text(f.capture_time_ns),
        "timeErrorNs": text(f.time_error_ns),
        "clockEpoch": f.clock_epoch,
        "publishTimeNs": text(f.publish_time_ns),
        "publishUtcNs": text(f.publish_utc_ns),
        "fields": binascii.hexlify(f.fields_data).decode(),
        "refersTo": reference(f.refers_to),
        "payload": binascii.hexlify(f.copy(bytearray(f.nbytes))).decode(),
    }


def answer(path):
    try:
        reader = streamem.open(os.path.join(os.path.dirname(path) or ".", os.path.basename(path)))
    except streamem.RingError as error:
        return {"open": "error", "error": str(error)}
    with reader:
        return {
            "open": "ok",
            "generation": reader.generation,
            "retired": reader.state == "retired",
            "descriptor": reader.descriptor,
            "latest": frame(reader.latest()),
            "last": dict((str(n), [str(f.seq) for f in reader.last(n)]) for n in (1, 2, 3)),
        }


for path in sys.argv[1:]:
    print(json.dumps(dict(answer(path), file=os.path.basename(path))))
