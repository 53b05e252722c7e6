"""A reader follows its writer by itself: through a clean end, a new generation, a kill, and `rm`.

To see them fail, take out of streamem.py, each on its own: in Reader._current `and not ring.unlinked()`, or the three lines of
`looked`; in _retire `("flags", ...)`; in Writer._look_after_the_name all after the fstat; in Writer._write `made.page.wake()`."""

import errno
import os
import signal
import struct
import unittest

import streamem
import support


class Following(support.RingTest):
    def verbs(self):
        """Every verb on its own reader, opened before the change."""
        names = ("latest", "newest", "next", "last", "stack", "nearest", "descriptor", "generation", "state")
        return dict((name, self.open()) for name in names)

    def follow(self, readers, generation):
        """Each verb alone finds the successor, whose newest frame is 2, captured at 2."""
        deadline = streamem._monotonic() + support.PATIENCE_S

        def until(look):
            while streamem._monotonic() < deadline:
                found = look()
                if found:
                    return found
            self.fail("it did not follow")

        is_new = lambda frame: frame if frame is not None and frame.generation == generation else None  # noqa: E731
        until(lambda: is_new(readers["latest"].latest()))
        until(lambda: is_new(readers["newest"].newest(1)))
        until(lambda: is_new(readers["next"].next(1)))
        until(lambda: [f for f in readers["last"].last(2) if is_new(f)])
        until(lambda: readers["stack"].generation == generation and readers["stack"].stack(2))
        until(lambda: is_new(readers["nearest"].nearest(2)))
        until(lambda: readers["descriptor"].descriptor["shm"]["generation"] == generation)
        until(lambda: readers["state"].state == "live")

    def test_a_new_generation_of_the_same_writer(self):
        child = self.start("writer", "s", 3)
        readers = self.verbs()
        generation = child.ask("renew")
        child.ask("publish 1")
        child.ask("publish 2")
        self.follow(readers, generation)

    def test_a_clean_end_and_a_successor(self):
        child = self.start("writer", "s", 3)
        readers = self.verbs()
        child.ask("close")
        self.assertEqual(self.entries(), [])
        self.assertEqual(readers["state"].state, "retired")
        self.assertEqual(readers["latest"].latest().seq, 3)  # the last good frame stays
        child = self.start("writer", "s")
        child.ask("publish 1")
        child.ask("publish 2")
        self.follow(readers, child.ask("generation"))

    def test_a_kill_and_a_successor(self):
        child = self.start("writer", "s", 3)
        readers = self.verbs()
        child.kill()
        self.assertEqual(readers["state"].state, "dead")
        self.assertEqual(readers["latest"].latest().seq, 3)
        child = self.start("writer", "s")
        child.ask("publish 1")
        child.ask("publish 2")
        self.follow(readers, child.ask("generation"))

    def test_removed_under_a_dead_writer(self):
        child = self.start("writer", "s", 3)
        readers = self.verbs()
        child.kill()
        for entry in self.entries():
            os.unlink("/dev/shm/" + entry)
        child = self.start("writer", "s")
        child.ask("publish 1")
        child.ask("publish 2")
        self.follow(readers, child.ask("generation"))

    def test_next_drains_the_old_ring_first_and_counts_on(self):
        with self.create(slots=4) as writer:
            writer.publish(bytes(bytearray(16)))
            reader = self.open()
            self.assertEqual(reader.next().seq, 1)
            for _ in range(2):
                writer.publish(bytes(bytearray(16)))
        with self.create(slots=4) as writer:
            for _ in range(2):
                writer.publish(bytes(bytearray(16)))
            frames = [reader.next(support.PATIENCE_S) for _ in range(4)]
        self.assertEqual([f.seq for f in frames], [2, 3, 1, 2])
        self.assertEqual([f.missed for f in frames], [0, 0, 0, 0])
        self.assertEqual(len(set(f.generation for f in frames)), 2)

    def test_what_is_published_between_a_look_and_the_end_comes_first(self):
        writer = self.create(slots=4)
        writer.publish(bytes(bytearray(16)))
        reader = self.open()
        reader.next()
        look = reader._current

        def look_late(looked):
            reader._current = look
            writer.publish(bytes(bytearray(16)))
            writer.renew()
            writer.publish(bytes(bytearray(16)))
            return look(looked)

        reader._current = look_late
        frames = [reader.next(support.PATIENCE_S) for _ in range(2)]
        self.assertEqual([(f.seq, f.missed) for f in frames], [(2, 0), (1, 0)])
        self.assertEqual(frames[1].generation, writer.generation)

    def test_what_nobody_will_get_is_missed(self):
        with self.create(slots=4) as writer:
            writer.publish(bytes(bytearray(16)))
            reader = self.open()
            reader.next()
            for _ in range(9):
                writer.publish(bytes(bytearray(16)))
        with self.create(slots=4) as writer:
            for _ in range(6):
                writer.publish(bytes(bytearray(16)))
            frame = reader.newest(support.PATIENCE_S)
        self.assertEqual((frame.seq, frame.missed, reader.missed), (6, 14, 14))

    def test_a_waiting_reader_wakes_for_the_successor(self):
        child = self.start("writer", "s", 1)
        waiter = self.start("waiter", "s")
        self.assertEqual(waiter.line(), "1")
        for _ in range(5):
            child.kill()
            child = self.start("writer", "s", 1)
            self.assertEqual(waiter.line(), "1")
            self.assertEqual((child.ask("publish 2"), waiter.line()), ("2", "2"))

    def test_descriptors_and_mappings_do_not_pile_up(self):
        reader, writer = None, self.create()

        def used():
            with open("/proc/self/maps") as maps:
                return len(os.listdir("/proc/self/fd")), sum(self.prefix in line for line in maps)

        reader = self.open()
        before = None
        for n in range(40):
            writer.renew()
            writer.publish(bytes(bytearray(16)))
            frame = reader.newest(support.PATIENCE_S)
            self.assertEqual(frame.generation, writer.generation)
            del frame
            support.collect()
            before = before or used()
        for now, then in zip(used(), before):
            self.assertLessEqual(now, then)

    def test_what_replaces_the_ring_but_is_none_is_an_error(self):
        child = self.start("writer", "s", 1)
        reader = self.open()
        reader.next()
        child.kill()
        other = "/dev/shm/%s.other" % self.prefix
        with open(other, "wb") as file:
            file.write(b"no ring at all")
        os.rename(other, "/dev/shm/%s.s" % self.prefix)
        with self.assertRaisesRegex(streamem.RingError, "not a ring"):
            reader.next(support.PATIENCE_S)


class Waking(support.RingTest):
    def test_each_publish_wakes_after_all_else(self):
        seen, wake = [], streamem._Page.wake
        writer = self.create()
        streamem._Page.wake = lambda page: seen.append((writer._made.words[16], writer._made.hot[34]))
        try:
            writer.publish(bytes(bytearray(16)))
            writer.publish(bytes(bytearray(16)))
        finally:
            streamem._Page.wake = wake
        self.assertEqual(seen, [(1, 1), (2, 2)])  # latest, wake


class KilledReaders(support.RingTest):
    def test_they_change_nothing(self):
        child = self.start("writer", "s", 1)
        for number in (signal.SIGKILL, signal.SIGSTOP):
            for _ in range(3):
                self.start("waiter", "s").kill(number) if number == signal.SIGKILL else self.stop()
        for n in range(2, 50):
            self.assertEqual(child.ask("publish 1"), str(n))
        self.assertEqual(self.open().latest().seq, 49)

    def stop(self):
        waiter = self.start("waiter", "s")
        waiter.process.send_signal(signal.SIGSTOP)


class WithoutTheName(support.RingTest):
    def test_rm_under_a_writer_begins_a_new_generation(self):
        writer = self.create()
        writer.publish(bytes(bytearray(16)))
        reader, before = self.open(), writer.generation
        reader.next()
        os.unlink(writer.path)
        writer._look_at = 0.0  # as a second later
        self.assertEqual(writer.publish(bytes(bytearray(16))), 1)
        self.assertNotEqual(writer.generation, before)
        frame = reader.next(support.PATIENCE_S)
        self.assertEqual((frame.seq, frame.generation), (1, writer.generation))
        writer.close()
        self.assertEqual(self.entries(), [])

    def test_rm_of_the_lock_too(self):
        writer = self.create()
        for entry in self.entries():
            os.unlink("/dev/shm/" + entry)
        writer._look_at = 0.0
        writer.publish(bytes(bytearray(16)))
        self.assertEqual(self.open().state, "live")
        self.assertEqual(self.start("starter", "s", ready=False).line()[:2], "%d" % errno.EBUSY)

    def test_another_writer_has_the_name_by_now(self):
        writer = self.create()
        writer.publish(bytes(bytearray(16)))
        reader = self.open()
        for entry in self.entries():
            os.unlink("/dev/shm/" + entry)
        other = self.start("writer", "s", 1)
        writer._look_at = 0.0
        with self.assertRaisesRegex(streamem.RingError, "another writer"):
            writer.publish(bytes(bytearray(16)))
        with self.assertRaisesRegex(streamem.RingError, "closed"):
            writer.publish(bytes(bytearray(16)))
        writer.close()
        self.assertEqual(other.ask("publish 2"), "2")
        while reader.next(support.PATIENCE_S).generation != other.ask("generation"):
            pass

    def test_a_reader_leaves_a_writer_that_lost_its_name(self):
        """Though that one lives and has not noticed yet."""
        writer = self.create()
        writer.publish(bytes(bytearray(16)))
        reader = self.open()
        reader.next()
        for entry in self.entries():
            os.unlink("/dev/shm/" + entry)
        other = self.start("writer", "s", 1)
        self.assertEqual(reader.next(support.PATIENCE_S).generation, other.ask("generation"))

    def test_a_file_cut_short_is_refused(self):
        with self.create() as writer:
            size = os.stat(writer.path).st_size
            for length in (0, 7, 100, 255, 300, size - 1):
                path = "/dev/shm/%s.cut" % self.prefix
                with open(writer.path, "rb") as whole, open(path, "wb") as cut:
                    cut.write(whole.read(length))
                with self.assertRaisesRegex(streamem.RingError, "truncated"):
                    streamem.open("cut")

    def test_retired_is_seen_in_the_file(self):
        writer = self.create()
        made = writer._made
        copy = os.dup(made.fd)
        wake = struct.unpack("<I", os.pread(copy, 4, 136))[0]
        writer.close()
        self.assertEqual(struct.unpack("<II", os.pread(copy, 8, 136)), (wake + 1, 1))
        os.close(copy)


if __name__ == "__main__":
    unittest.main()
