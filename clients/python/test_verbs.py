"""What each verb of a reader gives, and what a frame says of itself."""

import os
import struct
import threading
import time
import unittest

import streamem
import support


def filled(n):
    return bytes(bytearray([n] * 16))


class Verbs(support.RingTest):
    def setUp(self):
        super(Verbs, self).setUp()
        self.writer = self.create(slots=4)
        self.reader = self.open()

    def publish(self, *numbers):
        for n in numbers:
            self.writer.publish(filled(n), capture_time_ns=n * 100)

    def seqs(self, frames):
        return [frame.seq for frame in frames]

    def test_nothing_yet(self):
        reader = self.reader
        self.assertIsNone(reader.latest())
        self.assertIsNone(reader.newest(0))
        self.assertIsNone(reader.next(timeout=0.01))
        self.assertIsNone(reader.nearest(5))
        self.assertIsNone(reader.stack(3))
        self.assertEqual(reader.last(3), [])
        self.assertEqual(reader.state, "live")

    def test_latest_may_repeat(self):
        self.publish(1, 2)
        self.assertEqual((self.reader.latest().seq, self.reader.latest().seq), (2, 2))
        self.assertEqual(self.reader.missed, 0)  # a late joiner has missed nothing

    def test_newest_gives_each_frame_once(self):
        self.publish(1, 2)
        self.assertEqual(self.reader.newest().seq, 2)
        self.assertIsNone(self.reader.newest(0))
        self.publish(3, 4, 5)
        frame = self.reader.newest()
        self.assertEqual((frame.seq, frame.missed, self.reader.missed), (5, 2, 2))

    def test_newest_does_not_give_what_latest_gave(self):
        self.publish(1)
        self.reader.latest()
        self.assertIsNone(self.reader.newest(0))

    def test_next_gives_all_in_order(self):
        self.publish(1)
        self.assertEqual(self.reader.next().seq, 1)
        self.publish(2, 3, 4)
        self.assertEqual([(f.seq, f.missed) for f in (self.reader.next(), self.reader.next(), self.reader.next())],
                         [(2, 0), (3, 0), (4, 0)])
        self.assertIsNone(self.reader.next(0))

    def test_next_goes_on_at_the_newest_when_lapped(self):
        self.publish(1)
        self.reader.next()
        self.publish(2, 3, 4, 5)  # frame 2 is the one whose slot is written next: 3 are readable
        frame = self.reader.next()
        self.assertEqual((frame.seq, frame.missed, self.reader.missed), (5, 3, 3))

    def test_iterating_is_next(self):
        self.publish(1)
        numbers = []
        for frame in self.reader:
            numbers.append(frame.seq)
            if frame.seq == 3:
                break
            self.publish(frame.seq + 1)
        self.assertEqual(numbers, [1, 2, 3])
        self.reader.close()
        self.assertEqual(list(self.reader), [])

    def test_last(self):
        self.publish(*range(1, 7))
        self.assertEqual(self.seqs(self.reader.last(3)), [4, 5, 6])
        self.assertEqual(self.seqs(self.reader.last(1)), [6])
        self.assertEqual([bytes(f.data)[0] for f in self.reader.last(2)], [5, 6])
        for n in (0, 4, -1, None):
            with self.assertRaisesRegex(streamem.RingError, "slots"):
                self.reader.last(n)

    def test_nearest(self):
        self.publish(*range(1, 7))
        for t_ns, seq in ((0, 4), (449, 4), (451, 5), (450, 5), (10 ** 15, 6), (-5, 4)):
            self.assertEqual(self.reader.nearest(t_ns).seq, seq, t_ns)
        self.writer.publish(filled(7))  # capture time unknown: it does not count
        self.assertEqual(self.reader.nearest(10 ** 15).seq, 6)

    def test_stack_starts_with_what_the_ring_has(self):
        self.publish(*range(1, 7))
        stack = self.reader.stack(2)
        self.assertEqual(stack.seqs, [5, 6])
        self.assertEqual(memoryview(stack.array).cast("B").tobytes(), filled(5) + filled(6))

    def test_stack_beyond_the_ring_fills_as_frames_are_taken(self):
        self.publish(*range(1, 7))
        self.assertEqual(self.reader.stack(5).seqs, [4, 5, 6])
        self.publish(7)
        self.reader.next()
        self.publish(8, 9)
        stack = self.reader.stack(5)
        self.assertEqual(stack.seqs, [4, 5, 6, 7, 9])
        self.assertEqual(tuple(stack.array.shape), (5, 16))
        self.publish(10)
        self.assertEqual(self.reader.stack(3).seqs, [7, 9, 10])
        self.publish(11)
        self.assertEqual(stack.seqs[-1], 9)  # its own copy
        for n in (0, -1, "3"):
            self.assertRaises(streamem.RingError, self.reader.stack, n)

    def test_stack_keeps_to_one_shape(self):
        self.publish(1)
        self.writer.publish(b"12345678")
        self.writer.publish(b"abcdefgh")
        stack = self.reader.stack(3)
        self.assertEqual((stack.seqs, tuple(stack.array.shape)), ([2, 3], (2, 8)))

    def test_a_wait_ends_with_the_frame(self):
        for verb in (self.reader.newest, self.reader.next):
            timer = threading.Timer(0.02, self.publish, [1])
            timer.start()
            self.assertIsNotNone(verb(support.PATIENCE_S))
            timer.join()

    def test_ctrl_c_ends_a_wait(self):
        waiter = self.start("waiter", "s")
        self.assertEqual(waiter.kill(2), 130)

    def test_state(self):
        with self.create("rated", descriptor={"kind": "tensor", "dtype": "|u1", "shape": [1], "rate": 10.0}) as writer:
            reader = self.open("rated")
            writer.publish(b"1")
            self.assertEqual(reader.state, "live")
            made = writer._made
            slot = (made.first + 1 * made.stride) << 3
            os.pwrite(made.fd, struct.pack("<Q", streamem._monotonic_ns() - 2 * 10 ** 9), slot + 40)  # published 2 s ago
            self.assertEqual(reader.state, "stalled")
        self.assertEqual(reader.state, "retired")

    def test_closed(self):
        self.publish(1)
        frame = self.reader.latest()
        self.reader.close()
        self.reader.close()
        self.assertEqual(bytes(frame.data), filled(1))  # a frame keeps its ring mapped
        for verb in (self.reader.latest, self.reader.next, self.reader.newest, self.reader.fileno, lambda: self.reader.last(1),
                     lambda: self.reader.state, lambda: self.reader.nearest(0), lambda: self.reader.stack(1)):
            with self.assertRaisesRegex(streamem.RingError, "closed"):
                verb()


class FrameOfItself(support.RingTest):
    def test_numbers(self):
        writer = self.create(descriptor={"kind": "imu", "dtype": "<f4", "shape": [3]})
        before = time.monotonic()
        writer.publish(struct.pack("<3f", 1, 2, 3), device_time=2 ** 64 - 2, capture_time_ns=5, time_error_ns=0, clock_epoch=9)
        frame = self.open().latest()
        self.assertEqual((frame.seq, frame.nbytes, frame.shape, frame.dtype, frame.dimensions), (1, 12, (3,), "<f4", 0))
        self.assertEqual((frame.device_time, frame.capture_time_ns, frame.time_error_ns, frame.clock_epoch),
                         (2 ** 64 - 2, 5, 0, 9))
        self.assertGreaterEqual(frame.publish_time_ns, int(before * 1e9) - 1000)
        self.assertLess(abs(frame.publish_utc_ns - time.time() * 1e9), 60e9)
        self.assertGreater(frame.age_ns, before * 1e9 - 1000)
        self.assertEqual(frame.generation, writer.generation)

    def test_unknown_is_none(self):
        writer = self.create()
        writer.publish(filled(1))
        frame = self.open().latest()
        self.assertEqual((frame.device_time, frame.capture_time_ns, frame.time_error_ns), (None, None, None))
        self.assertLess(frame.age_ns, 60 * 10 ** 9)  # since it was published

    def test_views_are_read_only(self):
        self.create().publish(filled(1))
        frame = self.open().latest()
        self.assertTrue(frame.data.readonly)
        with self.assertRaises(TypeError):
            frame.data[0] = 1
        with self.assertRaises((TypeError, ValueError)):
            frame.array[0] = 1

    def test_a_view_outlives_reader_and_writer(self):
        writer = self.create()
        writer.publish(filled(9))
        reader = self.open()
        data = reader.latest().data
        reader.close()
        writer.close()
        del reader
        self.assertEqual(bytes(data), filled(9))

    def test_valid_until_the_slot_comes_round(self):
        writer = self.create(slots=4)
        writer.publish(filled(1))
        frame = self.open().latest()
        for n in (2, 3, 4):
            writer.publish(filled(n))
            self.assertTrue(frame.valid())
        writer.publish(filled(5))
        self.assertFalse(frame.valid())
        with self.assertRaisesRegex(streamem.Lapped, "slots"):
            frame.copy()

    def test_copy_into_memory_of_the_caller(self):
        self.create().publish(filled(3))
        frame = self.open().latest()
        out = bytearray(20)
        self.assertIs(frame.copy(out), out)
        self.assertEqual(bytes(out), filled(3) + b"\0" * 4)
        for bad in (bytearray(15), filled(0), memoryview(bytearray(64))[::2], 5):
            self.assertRaises(streamem.RingError, frame.copy, bad)

    def test_own_shape(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<u2", "shape": [4, 6]})
        writer.publish(bytes(bytearray(range(12))), shape=[2, 3])
        frame = self.open().latest()
        self.assertEqual((frame.shape, frame.dimensions, frame.nbytes), ((2, 3), 2, 12))
        self.assertEqual(frame.array.tolist(), [[0x100, 0x302, 0x504], [0x706, 0x908, 0xB0A]])
        writer.publish(b"", shape=[0, 6])  # nothing in it is something, too
        frame = self.open().latest()
        self.assertEqual((frame.shape, frame.nbytes, bytes(frame.copy())), ((0, 6), 0, b""))

    def test_fields(self):
        fields = [{"name": "exposure", "dtype": "<u8", "unit": "ns"}, {"name": "pose", "dtype": "<f8", "shape": [2, 2], "unit": "m"},
                  {"name": "big", "dtype": ">u2"}, {"name": "tag", "dtype": "|S4"}]
        writer = self.create(descriptor={"kind": "video", "dtype": "|u1", "shape": [16], "fields": fields})
        values = {"exposure": 12, "pose": [[1.0, 2.0], [3.0, 4.0]], "big": 258, "tag": b"abcd"}
        writer.publish(filled(1), fields=values)
        reader = self.open()
        self.assertEqual(reader.latest().fields, values)
        self.assertEqual([f["offset"] for f in reader.descriptor["fields"]], [0, 8, 40, 48])
        writer.publish(filled(1), fields={"exposure": 7})
        self.assertEqual(reader.latest().fields, {"exposure": 7})
        for bad in ({"gain": 1}, {"exposure": -1}, {"pose": [1]}, {"tag": b"abc"}, b"x" * 100, {"exposure": None}):
            with self.assertRaises(streamem.RingError):
                writer.publish(filled(1), fields=bad)
        self.assertEqual(reader.latest().seq, 2)  # what was refused left no trace


class Opening(support.RingTest):
    def test_by_path(self):
        writer = self.create()
        self.assertEqual(self.open(writer.path).generation, writer.generation)

    def test_waits_until_it_is_there(self):
        timer = threading.Timer(0.02, lambda: self.create("late"))
        timer.start()
        self.assertEqual(self.open("late", timeout=support.PATIENCE_S).descriptor["name"], "late")
        timer.join()

    def test_not_there_says_what_is(self):
        with self.assertRaisesRegex(streamem.RingError, "no stream at all"):
            streamem.open("s")
        self.create("other")
        with self.assertRaisesRegex(streamem.RingError, "there are: other"):
            streamem.open("s", timeout=0.01)
        self.assertEqual(streamem.streams(), ["other"])

    def test_names(self):
        for name in ("", "A", "a b", "-a", "a-", "x" * 64, "a\n", None, 5):
            with self.assertRaisesRegex(streamem.RingError, "allowed are"):
                streamem.open(name)
        for prefix in ("a.b", "", "A", "x" * 33, "a\n"):
            if prefix:
                with self.assertRaisesRegex(streamem.RingError, "allowed are"):
                    streamem.open("a", prefix=prefix)

    def test_what_is_no_ring(self):
        for name, make in (("text", lambda p: open(p, "w").close()), ("folder", os.mkdir), ("pipe", os.mkfifo),
                           ("link", lambda p: os.symlink("/etc/passwd", p))):
            path = "/dev/shm/%s.%s" % (self.prefix, name)
            make(path)
            try:
                self.assertRaises(streamem.RingError, streamem.open, name)
                self.assertNotIn(name, streamem.streams())
            finally:
                (os.rmdir if name == "folder" else os.unlink)(path)

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user: the refusal of a foreign reader is not tested")
    def test_not_ours_to_read(self):
        self.create()
        os.seteuid(65534)
        try:
            with self.assertRaisesRegex(streamem.RingError, "Permission denied.*group"):
                streamem.open("s")
        finally:
            os.seteuid(0)


if __name__ == "__main__":
    unittest.main()
