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
