"""A damaged or hostile ring never makes a reader read out of bounds, nor raise anything but RingError.

Each of 12,000 variations changes some bytes of a whole ring, in the header, in the slot headers, or in the descriptor (as
bytes, or as JSON of the wrong types), and then asks a reader for everything it can say. The seed is printed when it fails.

To see it fail, make any of the rules in _check_header True, or take the lines of payload_bytes out of _Ring.read."""

import json
import os
import random
import struct
import unittest

import streamem
import support

VARIATIONS = 12000
NUMBERS = [0, 1, 2, 3, 7, 8, 63, 64, 65, 127, 128, 129, 255, 256, 4095, 4096, 65535, 65536, 65537, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 64,
           2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 62, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 4096, 2 ** 64 - 64, 2 ** 64 - 1]
JSON = [None, True, -1, 0, 1, 2 ** 40, 10 ** 300, 1e308, 5e-324, float("nan"), "", "x", "<f4", "|u1", ">u2", "<f2", "<M8[foo]", "|O",
        "<f3", "|V0", "<U99999", "|S999999999", [], {}, [[]], [1], [2, 2], [0], [2 ** 32 - 1] * 8, [0] + [2 ** 32 - 1] * 7, [-1],
        ["a"], [["x", "<f4"]], [["x", "<f4", [3]]], [["x", "|u1"], ["x", "|u1"]], [["", "|V4"]], [["x", [["y", "|u1"]]]], "\ud800",
        [[[[[[[[[[[["x", "|u1"]]]]]]]]]]]], [["x", "|u1", [2 ** 31, 2 ** 31]]], {"kind": {}}, "/dev/null", "a\0b", "json", "utf8"]


class Hostile(support.RingTest):
    def setUp(self):
        super(Hostile, self).setUp()
        fields = [{"name": "f", "dtype": "<f4", "shape": [2], "unit": "m"}]
        writer = self.create("good", slots=4, descriptor={
            "kind": "tensor", "dtype": "<u2", "shape": [4, 4], "rate": 30, "strides": [8, 2], "fields": fields, "encoding": "json"})
        for n in range(6):
            writer.publish(struct.pack("<16H", *range(16)), fields={"f": [n, n]}, capture_time_ns=n)
        with open(writer.path, "rb") as file:
            self.good = file.read()
        self.header = dict(zip(streamem._Header._fields, streamem._HEADER.unpack(self.good[:256])))
        self.path = "/dev/shm/%s.bad" % self.prefix
        self.where = self.places()

    def places(self):
        """(offset, size) of each number of the header and of the slot headers."""
        sizes = {"H": 2, "I": 4, "Q": 8}
        header = [(streamem._AT[name], sizes[kind]) for name, kind in streamem._SEGMENT if kind in sizes]
        at = [self.header["slots_offset"] + n * self.header["slot_stride"] for n in range(4)]
        slot = [(start + streamem._SLOT_AT[name], sizes[kind]) for start in at for name, kind in streamem._SLOT if kind in sizes]
        shape = [(start + 80 + 4 * n, 4) for start in at for n in range(8)]
        return header, slot + shape

    def spoil_numbers(self, dice, places):
        raw = bytearray(self.good)
        for _ in range(dice.choice((1, 1, 2, 3))):
            offset, size = dice.choice(places)
            old = int.from_bytes(raw[offset:offset + size], "little")
            value = dice.choice((dice.choice(NUMBERS), old + dice.choice((-64, -8, -1, 1, 8, 64)), old ^ 1 << dice.randrange(64),
                                 dice.getrandbits(64)))
            raw[offset:offset + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        return raw

    def spoil_json(self, dice):
        start, size = self.header["descriptor_offset"], self.header["descriptor_bytes"]
        d = json.loads(self.good[start:start + size].decode())
        for _ in range(dice.choice((1, 1, 2))):
            inner = d["fields"][0] if dice.random() < 0.3 and isinstance(d.get("fields"), list) and d["fields"] else d
            if isinstance(inner, dict):
                inner[dice.choice(["dtype", "shape", "strides", "fields", "rate", "kind", "wake", "name", "encoding", "offset"])] = \
                    dice.choice(JSON)
        text = json.dumps(d, ensure_ascii=dice.random() < 0.9).encode("utf-8", "surrogatepass")
        raw = bytearray(self.good)
        raw[start:start + len(text)] = text
        raw[streamem._AT["descriptor_bytes"]:streamem._AT["descriptor_bytes"] + 4] = struct.pack("<I", len(text))
        return raw

    def spoil_bytes(self, dice):
        raw = bytearray(self.good)
        for _ in range(dice.randrange(1, 20)):
            raw[dice.randrange(self.header["descriptor_offset"] + self.header["descriptor_bytes"])] = dice.randrange(256)
        return raw[:dice.randrange(len(raw))] if dice.random() < 0.2 else raw

    def test_fuzz(self):
        seed = random.randrange(2 ** 32)
        dice = random.Random(seed)
        header, slots = self.where
        ways = (lambda: self.spoil_numbers(dice, header), lambda: self.spoil_numbers(dice, slots), lambda: self.spoil_json(dice),
                lambda: self.spoil_bytes(dice))
        opened = refused = 0
        for n in range(VARIATIONS):
            raw = ways[n % len(ways)]()
            with open(self.path, "wb") as file:
                file.write(raw)
            try:
                opened, refused = (opened + 1, refused) if self.exercise() else (opened, refused + 1)
            except Exception as error:
                self.fail("seed %d, variation %d: %s: %s" % (seed, n, type(error).__name__, error))
        self.assertGreater(opened, VARIATIONS // 10)
        self.assertGreater(refused, VARIATIONS // 10)

    def exercise(self):
        """Everything a reader can be asked. A RingError is an answer."""
        try:
            reader = streamem.open(self.path)
        except streamem.RingError as error:
            self.assertTrue(str(error))
            return False
        frames = []
        asks = [lambda: frames.append(reader.latest()), lambda: frames.append(reader.newest(0)),
                lambda: frames.append(reader.next(0)), lambda: frames.extend(reader.last(3)),
                lambda: frames.append(reader.nearest(3)), lambda: reader.stack(2), lambda: reader.stack(9),
                lambda: reader.state, lambda: reader.descriptor, lambda: repr(reader), lambda: streamem._line(reader)]
        with reader:
            self.all_of(asks)
            for frame in frames:
                if frame is not None:
                    self.ask_frame(frame)
        return True

    def ask_frame(self, frame):
        # An array without elements may have billions of empty rows: no question to a ring, and no list to make.
        self.assertLessEqual(len(frame.data), frame._ring.payload_capacity)
        self.all_of([
            lambda: frame.array is not None and (0 in frame.shape or frame.array.tolist()), lambda: bytes(frame.data), frame.copy,
            lambda: frame.copy(bytearray(frame.nbytes)), frame.message, frame.valid, lambda: frame.fields, lambda: frame.dtype,
            lambda: frame.age_ns, lambda: (frame.device_time, frame.capture_time_ns, frame.clock_epoch), lambda: repr(frame)])

    def all_of(self, asks):
        for ask in asks:
            try:
                ask()
            except streamem.RingError as error:
                self.assertTrue(str(error))

    def test_nested_too_deep(self):
        raw = bytearray(self.good[:256]) + b"[" * 65536
        size = len(raw) + -len(raw) % 64
        raw[16:24] = struct.pack("<Q", size + 4 * self.header["slot_stride"])
        raw[40:48] = struct.pack("<Q", size)
        raw[88:92] = struct.pack("<I", 65536)
        with open(self.path, "wb") as file:
            file.write(raw + bytes(bytearray(size + 4 * self.header["slot_stride"])))
        self.assertRaises(streamem.RingError, streamem.open, self.path)

    def test_the_files_of_a_million_million_bytes_are_not_touched(self):
        raw = bytearray(self.good)
        raw[56:64] = struct.pack("<Q", 1 << 40)  # payload_capacity
        raw[48:56] = struct.pack("<Q", (1 << 40) + 64 * 1024)
        raw[16:24] = struct.pack("<Q", 5 << 40)
        with open(self.path, "wb") as file:
            file.write(raw)
            file.truncate(5 << 40)
        try:
            reader = streamem.open(self.path)
        except streamem.RingError:
            return  # no room to map it: that is an answer too
        with reader:
            reader.latest()
        self.assertLess(os.stat(self.path).st_blocks * 512, 1 << 20)


if __name__ == "__main__":
    unittest.main()
