"""Message streams: JSON, text and bytes, by a producer in Python."""

import errno
import unittest

import streamem
import support


class Messages(support.RingTest):
    def given(self, writer, data, **meta):
        writer.publish(data, **meta)
        return self.open(writer.name).latest()

    def test_json(self):
        writer = self.create("m", descriptor={"kind": "message"})
        for value in ({"label": "person", "box": [1, 2.5, None, True]}, [], {}, 7, None, True, {"name": "Größe 眼"}):
            self.assertEqual(self.given(writer, value).message(), value)
        self.assertEqual(self.given(writer, '{"already": "text"}').message(), {"already": "text"})
        self.assertEqual(self.given(writer, b"[1]").message(), [1])
        self.assertEqual(self.given(writer, [1]).shape, (3,))
        for bad in (float("nan"), {"x": object()}, {1, 2}):
            with self.assertRaisesRegex(streamem.RingError, "stream m"):
                writer.publish(bad)

    def test_what_a_reader_sees_of_it(self):
        writer = self.create("m", descriptor={"kind": "message"})
        frame = self.given(writer, {"a": 1}, capture_time_ns=5, device_time=6)
        self.assertEqual(bytes(frame.data), b'{"a":1}')
        self.assertEqual(frame.copy(), b'{"a":1}')
        self.assertEqual((frame.capture_time_ns, frame.device_time, frame.dtype), (5, 6, "|u1"))
        d = self.open("m").descriptor
        self.assertEqual((d["kind"], d["encoding"], d["shape"], d["dtype"], d["dims"], d["shm"]["slotCount"]),
                         ("message", "json", [16384], "|u1", ["byte"], 256))

    def test_utf8_and_msgpack(self):
        writer = self.create("t", descriptor={"kind": "message", "encoding": "utf8"})
        self.assertEqual(self.given(writer, "µ 眼").message(), "µ 眼")
        self.assertEqual(self.given(writer, "").message(), "")
        self.assertRaises(streamem.RingError, writer.publish, {"a": 1})
        writer = self.create("p", descriptor={"kind": "message", "encoding": "msgpack"})
        self.assertEqual(self.given(writer, b"\x81\xa1a\x01").message(), b"\x81\xa1a\x01")
        self.assertRaises(streamem.RingError, writer.publish, [1])
        self.assertRaises(streamem.RingError, streamem.create, "q", {"kind": "message", "encoding": "xml"})

    def test_a_message_says_which_frame_it_is_of(self):
        camera = self.create("webcam")
        camera.publish(bytes(16))
        camera.publish(bytes(16), capture_time_ns=70, time_error_ns=8, clock_epoch=9)
        frame, writer = self.open("webcam").latest(), self.create("m", descriptor={"kind": "message"})
        self.assertIsNone(frame.refers_to)
        self.assertIsNone(self.given(writer, {"n": 1}).refers_to)
        got = self.given(writer, {"n": 2}, refers_to=frame)
        self.assertEqual(got.refers_to, streamem.Reference("webcam", frame.generation, 2, 70))
        self.assertEqual((got.capture_time_ns, got.time_error_ns, got.clock_epoch), (70, 8, 9))
        again = self.given(writer, {"n": 3}, refers_to=got.refers_to, capture_time_ns=71)
        self.assertEqual((again.refers_to, again.capture_time_ns, again.time_error_ns), (got.refers_to, 71, None))
        unknown = self.given(writer, [], refers_to=("webcam", "00" * 16, 1, None))
        self.assertEqual((unknown.refers_to.capture_time_ns, unknown.capture_time_ns), (None, None))

    def test_what_is_no_reference_is_refused(self):
        writer = self.create("m", descriptor={"kind": "message"})
        for wrong in (7, "webcam", ("Web cam", "00" * 16, 1, None), ("webcam", "00" * 15, 1, None), ("webcam", "00" * 16, 0, None),
                      ("webcam", "no hex", 1, None), ("webcam", "00" * 16, 1, -1), ("webcam", "00" * 16, "1", None)):
            with self.assertRaisesRegex(streamem.RingError, "refers_to is a frame or a Reference"):
                writer.publish({}, refers_to=wrong)
        self.assertEqual(writer.seq, 0)
        with self.assertRaisesRegex(streamem.RingError, "cannot refer to a frame"):
            self.create("t").publish(bytes(16), refers_to=("webcam", "00" * 16, 1, None))

    def test_own_fields_stand_behind_a_reference(self):
        fields = streamem.REFERENCE_FIELDS + [{"name": "score", "dtype": "<f8"}]
        writer = self.create("mask", descriptor={"kind": "tensor", "dtype": "|u1", "shape": [4], "fields": fields})
        got = self.given(writer, b"mask", fields={"score": 0.5}, refers_to=("webcam", "0f" * 16, 3, None))
        self.assertEqual((got.refers_to.sequence, got.fields["score"]), (3, 0.5))
        self.assertIsNone(self.given(writer, b"mask", fields={"score": 0.5}).refers_to)

    def test_one_that_does_not_fit_names_the_setting(self):
        writer = self.create("m", descriptor={"kind": "message"}, payload_capacity=100)
        writer.publish(b"x" * 100)
        with self.assertRaisesRegex(streamem.RingError, "101 bytes, payload_capacity is 100") as caught:
            writer.publish(b"x" * 101)
        self.assertEqual((caught.exception.errno, writer.seq), (errno.EMSGSIZE, 1))
        self.assertEqual(self.open("m").descriptor["shape"], [100])

    def test_what_is_not_json_is_an_error(self):
        writer = self.create("m", descriptor={"kind": "message"})
        for raw in (b"{", b"\xff", b"[" * 10000):
            with self.assertRaisesRegex(streamem.RingError, "is not json"):
                self.given(writer, raw).message()

    def test_a_burst_loses_none(self):
        writer = self.create("m", descriptor={"kind": "message"})
        writer.publish(0)
        reader = self.open("m")
        reader.next()
        for n in range(1, 256):
            writer.publish(n)
        self.assertEqual([reader.next(0).message() for _ in range(255)], list(range(1, 256)))
        self.assertEqual(reader.missed, 0)


if __name__ == "__main__":
    unittest.main()
