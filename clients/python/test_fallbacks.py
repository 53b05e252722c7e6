"""Without ctypes (no futex), without NumPy, on architectures that need fences: slower, never wrong."""

import os
import struct
import subprocess
import sys
import unittest

import streamem
import support

RECORD = [["t", "<u8"], ["xyz", "<f4", [3]], ["in", [["a", "|u1"], ["b", "<i2"]]]]
BARE = """
import sys
sys.modules["ctypes"] = None
sys.modules["numpy"] = None
import streamem, select
assert streamem.ctypes is None and streamem._libc is None
"""


class Fallbacks(support.RingTest):
    def bare(self, code):
        """Runs code where neither ctypes nor NumPy can be imported."""
        process = subprocess.Popen([sys.executable, "-c", BARE + code], cwd=support.HERE, env=self.environment,
                                   stdout=subprocess.PIPE)
        out = process.communicate()[0].decode().strip()
        self.assertEqual(process.returncode, 0)
        return out

    def test_a_reader_without_ctypes(self):
        child = self.start("writer", "s", 3)
        self.assertEqual(self.bare("r = streamem.open('s'); print(r.next(5).seq, r.next(0.05), r.state, select.select([r], [], [], 60)"
                                   "[0] == [r], r.latest().array.tolist() == [0] * 16)"), "3 None live True True")
        child.kill()

    def test_a_producer_without_ctypes(self):
        code = ("w = streamem.create('s', {'kind': 'message'}); r = streamem.open('s'); w.publish([1]); w.publish([2]);"
                "print(r.next(5).message(), r._ring.polled, [f.message() for f in r.last(2)]); w.close(); print(r.state)")
        self.assertEqual(self.bare(code), "[2] True [[1], [2]]\nretired")
        self.assertEqual(self.entries(), [])

    def test_taking_over_without_ctypes(self):
        child = self.start("writer", "s", 1)
        reader = self.open()
        child.kill()
        self.bare("w = streamem.create('s', {'kind': 'message'}); w.publish([1]); print(streamem.open('s').latest().seq)")
        self.assertEqual(reader.state, "retired")

    def test_fences_stand_where_they_must(self):
        """Where the architecture needs them: between the words of the protocol, in the writer and in the reader."""
        counted = []
        before, streamem._fence = streamem._fence, lambda: counted.append(1)
        try:
            writer = self.create()
            fences = len(counted)
            writer.publish(bytes(bytearray(16)))
            self.assertEqual(len(counted) - fences, 4)  # after begin, before end, before latest, before wake
            frame = self.open().latest()
            self.assertEqual(len(counted) - fences, 6)  # after end was read, before begin is read again
            self.assertTrue(frame.valid())
            self.assertEqual(len(counted) - fences, 7)
        finally:
            streamem._fence = before

    def test_it_says_whether_it_is_fenced(self):
        self.assertIn(streamem.FENCED, (True, False))
        if os.uname().machine == "x86_64":
            self.assertTrue(streamem.FENCED)


class WithoutNumPy(support.RingTest):
    def setUp(self):
        super(WithoutNumPy, self).setUp()
        self.before, streamem._numpy_module = streamem._numpy_module, None  # as if its import had failed

    def tearDown(self):
        streamem._numpy_module = self.before
        super(WithoutNumPy, self).tearDown()

    def test_simple_dtypes_are_memoryviews(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<f4", "shape": [2, 3]})
        writer.publish(struct.pack("<6f", *range(6)))
        writer.publish(struct.pack("<6f", *range(6)))
        reader = self.open()
        frame = reader.latest()
        self.assertEqual((frame.array.format, frame.array.shape, frame.array.readonly), ("f", (2, 3), True))
        self.assertEqual(frame.array.tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(frame.copy(), struct.pack("<6f", *range(6)))
        stack = reader.stack(2)
        self.assertEqual((stack.array.shape, stack.array.tolist()[1]), ((2, 2, 3), [[0, 1, 2], [3, 4, 5]]))

    def test_others_are_bytes(self):
        for dtype, bytes_each in ((RECORD, 23), (">u2", 2), ("<c8", 8)):
            with self.create(descriptor={"kind": "imu", "dtype": dtype, "shape": [2]}) as writer:
                raw = bytes(bytearray(range(2 * bytes_each)))
                writer.publish(raw)
                reader = self.open()
                frame = reader.latest()
                self.assertIsNone(frame.array)
                self.assertEqual((bytes(frame.data), frame.copy()), (raw, raw))
                self.assertEqual(reader.stack(1).array.shape, (1, 2 * bytes_each))


if __name__ == "__main__":
    unittest.main()
