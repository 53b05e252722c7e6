"""The offsets this client computes are those of native/layout.json."""

import io
import json
import os
import subprocess
import sys
import unittest

import streamem
import support

LAYOUT = os.path.join(support.HERE, "..", "..", "native", "layout.json")


@unittest.skipUnless(os.path.exists(LAYOUT), "native/layout.json is not beside this copy of the client")
class Layout(unittest.TestCase):
    def setUp(self):
        with io.open(LAYOUT, encoding="utf-8") as file:
            self.truth = json.load(file)

    def test_each_offset(self):
        command = [sys.executable, os.path.join(support.HERE, "streamem.py"), "--layout"]
        printed = json.loads(subprocess.check_output(command).decode())
        for table in ("segmentHeader", "slotHeader"):
            self.assertEqual(printed[table], dict((f["name"], f["offset"]) for f in self.truth[table]))

    def test_constants(self):
        values = dict((name, c["value"]) for name, c in self.truth["constants"].items())
        ours = {
            "header_bytes": streamem._HEADER.size, "slot_header_bytes": streamem._SLOT_BYTES, "slot_count_min": streamem._SLOTS_MIN,
            "slot_count_max": streamem._SLOTS_MAX, "descriptor_bytes_max": streamem._DESCRIPTOR_MAX,
            "fields_bytes_max": streamem._FIELDS_MAX, "dimensions_max": streamem._DIMENSIONS_MAX,
            "alignment": streamem._ALIGNMENT, "page_bytes": streamem._PAGE, "flag_retired": streamem._RETIRED,
            "wake_none": streamem._WAKE_NONE, "wake_futex": streamem._WAKE_FUTEX, "poll_interval_ms": streamem._POLL_S * 1000,
            "wait_slice_ms": streamem._SLICE_S * 1000, "read_retries_max": streamem._RETRIES,
            "doorbell_connections_max": 256,  # the server's business
            "unknown": str(streamem._UNKNOWN)}
        self.assertEqual(ours, values)
        self.assertEqual((streamem._MAGIC.decode(), streamem._MAJOR, streamem._MINOR),
                         (self.truth["magic"], self.truth["major"], self.truth["minor"]))


if __name__ == "__main__":
    unittest.main()
