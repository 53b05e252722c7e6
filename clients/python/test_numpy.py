"""With NumPy: arrays of the stream's dtype and shape, read-only views and owned copies."""

import unittest

import streamem
import support

try:
    import numpy
except ImportError:
    numpy = None

RECORD = [["t", "<u8"], ["xyz", "<f4", [3]], ["in", [["a", "|u1"], ["b", "<i2"]]]]


@unittest.skipIf(numpy is None, "NumPy is not installed: arrays of it are not tested")
class WithNumPy(support.RingTest):
    def test_views_and_copies(self):
        writer = self.create(descriptor={"kind": "video", "dtype": "|u1", "shape": [4, 6, 3]})
        image = numpy.arange(72, dtype="u1").reshape(4, 6, 3)
        writer.publish(image)
        frame = self.open().latest()
        view, copy = frame.array, frame.copy()
        self.assertTrue((view == image).all() and (copy == image).all())
        self.assertEqual((view.dtype, view.shape, view.flags.writeable, copy.flags.writeable), (image.dtype, (4, 6, 3), False, True))
        with self.assertRaises(ValueError):
            view.flags.writeable = True
        out = numpy.zeros((4, 6, 3), "u1")
        self.assertIs(frame.copy(out), out)
        self.assertTrue((out == image).all())
        for bad in (numpy.zeros((4, 6, 2), "u1"), numpy.zeros((4, 6, 6), "u1")[:, :, ::2], view):
            self.assertRaises(streamem.RingError, frame.copy, bad)

    def test_records(self):
        dtype = numpy.dtype([("t", "<u8"), ("xyz", "<f4", (3,)), ("in", [("a", "|u1"), ("b", "<i2")])])
        for given in (dtype, RECORD):
            with self.create(descriptor={"kind": "imu", "dtype": given, "shape": [5]}) as writer:
                samples = numpy.zeros(5, dtype)
                samples["t"] = range(5)
                samples["xyz"][:, 1] = 7
                samples["in"]["b"] = -3
                writer.publish(samples)
                writer.publish(samples[:2])
                reader = self.open()
                self.assertEqual(reader.descriptor["dtype"], RECORD)
                self.assertTrue((reader.last(2)[0].array == samples).all())
                self.assertTrue((reader.latest().copy() == samples[:2]).all())
                self.assertEqual(numpy.dtype(reader.latest().dtype), dtype)
                out = numpy.zeros(2, dtype)
                self.assertTrue((reader.latest().copy(out) == samples[:2]).all())

    def test_strides(self):
        writer = self.create(descriptor={"kind": "video", "dtype": "<u2", "shape": [3, 4], "strides": [16, 2]})
        padded = numpy.arange(24, dtype="<u2")
        writer.publish(padded[:20])
        frame = self.open().latest()
        self.assertEqual(frame.array.tolist(), [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17, 18, 19]])
        self.assertTrue(frame.copy().flags.c_contiguous)
        writer.publish(padded[:12].reshape(3, 4))  # without gaps: then the frame says its shape itself
        self.assertEqual(self.open().latest().array.tolist(), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])

    def test_what_is_published_contiguous_or_not(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<f4", "shape": [3, 2]})
        reader = self.open()
        for data in (numpy.ones((2, 3), "f4").T, numpy.ones((6, 2), "f4")[::2], numpy.ones((3, 2), "f4")):
            writer.publish(data)
            self.assertTrue((reader.latest().array == 1).all())
        self.assertEqual(reader.generation, writer.generation)

    def test_another_dtype_or_size_begins_a_generation(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<f4", "shape": [2, 2]})
        writer.publish(numpy.zeros((2, 2), "f4"))
        reader, first = self.open(), writer.generation
        writer.publish(numpy.zeros((1, 2), "f4"))
        self.assertEqual(writer.generation, first)  # smaller fits
        for data in (numpy.ones((2, 2), "f8"), numpy.ones((9, 9), "f8"), numpy.ones((3,), ">u2")):
            self.assertEqual(writer.publish(data), 1)
            frame = reader.newest(support.PATIENCE_S)
            self.assertEqual((frame.array.dtype, frame.shape), (data.dtype, data.shape))

    def test_stack(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<i2", "shape": [2, 2]})
        for n in range(5):
            writer.publish(numpy.full((2, 2), n, "<i2"))
        stack = self.open().stack(3)
        self.assertEqual((stack.seqs, stack.array.shape, stack.array.dtype), ([3, 4, 5], (3, 2, 2), numpy.dtype("<i2")))
        self.assertEqual(stack.array[:, 0, 0].tolist(), [2, 3, 4])
        stack.array[:] = 0  # its own

    def test_a_single_number(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<f8", "shape": []})
        writer.publish(numpy.float64(2.5))
        self.assertEqual(float(self.open().latest().array), 2.5)


if __name__ == "__main__":
    unittest.main()
