"""No frame is ever mixed from two writes: neither its payload, nor its numbers, nor its fields.

A writer runs at full rate through 4 slots; readers in other processes take frames by every verb and are overtaken all the
time. To see it fail, take out of streamem.py, each on its own:
  in Frame.valid   `return self._ring.words[self._at] == self.seq` -> `return True`    torn payloads
  in _Ring.read    the two lines `if words[at] != seq:  # begin ...` / `return None`   torn numbers and fields
  in Writer._write `words[at] = seq  # begin ...`  (put it beside end)                 torn payloads
  in _Ring.read    the two lines `if words[at + 1] != seq:  # end ...`                 test_a_slot_not_ended
Fences cannot be tested on x86-64, which needs none."""

import os
import struct
import unittest

import streamem
import support

DELIVERIES = REJECTIONS = 10000  # of each of two readers


class TornFrames(support.RingTest):
    def test_two_readers_at_full_rate(self):
        self.start("torn_writer", "t")
        readers = [self.start("torn_reader", "t", DELIVERIES, REJECTIONS, 1) for _ in range(2)]
        for reader in readers:
            seen = reader.json()
            self.assertEqual(seen["torn"], 0, seen)
            self.assertGreaterEqual(seen["delivered"], DELIVERIES, seen)
            self.assertGreaterEqual(seen["rejected"], REJECTIONS, seen)
            self.assertGreater(seen["stacked"], 100, seen)

    def test_through_ten_kills(self):
        child = self.start("torn_writer", "t")
        reader = self.start("torn_reader", "t", 1000, 1, 11)
        follower = self.open("t")
        for _ in range(10):
            before = follower.next(support.PATIENCE_S).generation
            child.kill()
            child = self.start("torn_writer", "t")
            while follower.next(support.PATIENCE_S).generation == before:
                pass
        seen = reader.json()
        self.assertEqual(seen["torn"], 0, seen)
        self.assertGreaterEqual(len(seen["generations"]), 11, seen)
        self.assertEqual(self.entries(), [".%s.t.lock" % self.prefix, "%s.t" % self.prefix])


class HalfWritten(support.RingTest):
    """Slots as a writer leaves them that dies in the middle, written by hand."""

    def setUp(self):
        super(HalfWritten, self).setUp()
        self.writer = self.create()
        self.reader = self.open()
        for n in range(1, 4):
            self.writer.publish(bytes(bytearray([n] * 16)))

    def put(self, seq, offset, value):
        made = self.writer._made
        at = ((made.first + seq % 8 * made.stride) << 3) + offset
        os.pwrite(made.fd, struct.pack("<Q", value), at)

    def test_a_slot_not_ended(self):
        self.put(3, 8, 0)
        self.assertIsNone(self.reader.latest())
        self.assertEqual([f.seq for f in self.reader.last(3)], [1, 2])

    def test_a_slot_begun_again(self):
        frame = self.reader.latest()
        self.assertTrue(frame.valid())
        self.put(3, 0, 11)
        self.assertFalse(frame.valid())
        self.assertRaises(streamem.Lapped, frame.copy)
        self.assertRaises(streamem.Lapped, frame.copy, bytearray(16))
        self.assertRaises(streamem.Lapped, frame.message)
        self.assertIsNone(self.reader.latest())
        self.assertIsNone(self.reader.next(0))

    def test_a_slot_of_zeros_is_no_frame(self):
        os.pwrite(self.writer._made.fd, struct.pack("<Q", 6), 128)  # latest, but slot 6 was never written
        self.assertIsNone(self.reader.latest())


if __name__ == "__main__":
    unittest.main()
