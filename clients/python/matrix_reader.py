"""Checks every word of every frame that it is given: matrix_reader.py PREFIX STREAM BYTES.

Takes the newest frame, and of small ones now and then the oldest that can be read, with a pause before it is copied: the
writer comes for it meanwhile. Until the ring is retired and gone. Prints "waiting" before it
opens the stream, and at the end {"delivered", "rejected", "wrong", "missed"}.
"""

import json
import os
import sys
import time

import streamem
from matrix_writer import Words

SMALL_BYTES = 4096
PAUSE_S = 0.0002


class Tally(object):
    def __init__(self, nbytes):
        self.words, self.copy = Words(nbytes), bytearray(nbytes)
        self.delivered = self.rejected = self.wrong = 0

    def look(self, frame):
        try:
            frame.copy(self.copy)
        except streamem.Lapped:
            self.rejected += 1
            return
        if self.words.are(frame.seq, self.copy):
            self.delivered += 1
        else:
            self.wrong += 1


def main(prefix, name, nbytes):
    tally = Tally(nbytes)
    tally.words.of(1)
    print("waiting")
    sys.stdout.flush()
    with streamem.open(name, timeout=30, prefix=prefix) as reader:
        while reader.state != "retired" or os.path.exists("/dev/shm/%s.%s" % (prefix, name)):
            for turn in range(64):
                frame = reader.newest(0.02)
                if frame is None:
                    break
                tally.look(frame)
                if nbytes <= SMALL_BYTES and turn % 4 == 0:
                    for oldest in reader.last(reader.descriptor["shm"]["slotCount"] - 1)[:1]:
                        time.sleep(PAUSE_S)
                        tally.look(oldest)
        print(json.dumps({"delivered": tally.delivered, "rejected": tally.rejected, "wrong": tally.wrong,
                          "missed": reader.missed}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
