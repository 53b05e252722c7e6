"""Without ctypes (no futex), without NumPy, on architectures that need fences: slower, never wrong."""

import os
import subprocess
import sys
import unittest

import streamem
import support

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


if __name__ == "__main__":
    unittest.main()
