"""Streams lined up in time: what the traces of ../vectors/sync cannot show."""

import errno
import unittest

import streamem
import support


class Lines(support.RingTest):
    def sync(self, *names, **options):
        tolerance_ns = options.pop("tolerance_ns", 10)
        sets = streamem.sync(names, tolerance_ns, timeout=options.pop("timeout", 10), **options)
        self.addCleanup(sets.close)
        return sets

    def put(self, writer, *times_ns):
        for time_ns in times_ns:
            writer.publish(bytes(16), capture_time_ns=time_ns)

    def times(self, found):
        return dict((name, frame and frame.capture_time_ns) for name, frame in found.frames.items())

    def test_wrong_arguments_are_refused_in_words(self):
        for arguments, words in ((("a",), "at least two"), (("a", "b", "a"), "each named once"), ((), "at least two")):
            with self.assertRaisesRegex(streamem.RingError, words):
                self.sync(*arguments)
        for options, words in (({"driver": "c"}, "allowed are a, b"), ({"tolerance_ns": -1}, "0 or more"),
                               ({"mode": "fast"}, "reproducible, available"), ({"tolerance_ns": 0.5}, "whole number")):
            with self.assertRaisesRegex(streamem.RingError, words):
                self.sync("a", "b", **options)

    def test_a_driver_that_does_not_appear(self):
        for options in ({}, {"driver": "a"}):
            with self.assertRaisesRegex(streamem.RingError, "there is no") as caught:
                self.sync("a", "b", timeout=0.02, **options)
            self.assertEqual(caught.exception.errno, errno.ENOENT)

    def test_the_slowest_drives(self):
        for name, rate in (("fast", 45), ("slow", 5), ("unknown", None)):
            self.create(name, descriptor={"kind": "tensor", "dtype": "|u1", "shape": [16], "rate": rate})
        self.assertEqual(self.sync("unknown", "fast", "slow").driver, "slow")
        self.assertEqual(self.sync("unknown", "fast").driver, "fast")

    def test_a_stream_that_appears_later_is_taken_up(self):
        driver = self.create("d")
        sets = self.sync("d", "m", driver="d", mode="available")
        self.put(driver, 100)
        self.assertEqual(sets.next(5).missing, {"m": "stream down"})
        self.put(self.create("m"), 205)
        while not sets._members["m"].open():
            pass
        self.put(driver, 200)
        self.assertEqual(self.times(sets.next(5)), {"d": 200, "m": 205})

    # To see it fail: let _time_of take every capture time.
    def test_a_capture_time_after_the_publication_counts_for_nothing(self):
        driver, broken = self.create("d"), self.create("m")
        sets = self.sync("d", "m", driver="d", tolerance_ns=60 * 10 ** 9)
        self.put(broken, 1 << 62)
        driver.publish(bytes(16))
        broken.publish(bytes(16))
        self.assertIsNotNone(sets.next(5).frames["m"])

    # To see it fail: leave the question for valid() out of _whole.
    def test_a_drivers_frame_that_is_overwritten_is_dropped_and_counted(self):
        driver, member = self.create("d", slots=4), self.create("m")
        sets = self.sync("d", "m", driver="d")
        self.put(driver, 100)
        self.assertIsNone(sets.next(0.05))
        self.put(driver, *range(200, 208))
        self.put(member, 500)
        found = sets.next(5)
        self.assertEqual((found.time_ns, found.frames["d"].valid(), sets.missed["d"]), (207, True, 8))

    # To see it fail: let _drop_overwritten keep them.
    def test_a_member_that_is_overwritten_while_it_waits_counts_as_never_come(self):
        driver, member = self.create("d"), self.create("m", slots=4)
        sets = self.sync("d", "m", driver="d", tolerance_ns=1000)
        self.put(driver, 100)
        self.put(member, 90)
        self.assertIsNone(sets.next(0.05))
        self.put(member, *range(500, 508))
        self.assertEqual(self.times(sets.next(5)), {"d": 100, "m": 507})

    # To see it fail: leave _used out of available().
    def test_no_frame_is_given_twice(self):
        driver, member = self.create("d"), self.create("m")
        sets = self.sync("d", "m", driver="d", mode="available", tolerance_ns=50)
        self.put(member, 100)
        self.put(driver, 100)
        self.assertEqual(self.times(sets.next(5)), {"d": 100, "m": 100})
        self.put(driver, 110)
        self.assertEqual(sets.next(5).missing, {"m": "gap"})

    def test_closed_it_ends(self):
        self.create("d"), self.create("m")
        with self.sync("d", "m", driver="d") as sets:
            pass
        self.assertEqual(list(sets), [])


if __name__ == "__main__":
    unittest.main()
