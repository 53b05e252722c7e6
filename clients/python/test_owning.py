"""One writer per name: locks, taking over, forks, what others left, and the end.

To see them fail, take out of streamem.py, each on its own: in Writer._take_lock `_try_lock(fd) and`, `_is_at(...) and`, or
`not self._ring_is_held()`; in _Made `_try_lock(self.fd)`; in Writer._begin `self._sweep()` or `self._retire_old()`; in
Writer._retire_old the comparison of st_uid; `_register_at_fork(...)`; or map `self.fd` in _Made._map."""

import errno
import os
import re
import signal
import stat
import unittest

import streamem
import support


class OneWriter(support.RingTest):
    def test_the_second_is_refused_in_words(self):
        child = self.start("writer", "s")
        with self.assertRaisesRegex(streamem.RingError, "another writer already .process %d." % child.process.pid) as caught:
            streamem.create("s", {"kind": "message"})
        self.assertEqual(caught.exception.errno, errno.EBUSY)
        self.assertEqual(child.ask("publish 1"), "1")
        child.ask("close")
        self.create().publish(bytes(bytearray(16)))

    def test_in_the_same_process_too(self):
        self.create()
        self.assertRaises(streamem.RingError, self.create)

    def test_though_the_lock_file_was_removed(self):
        self.create()
        os.unlink("/dev/shm/.%s.s.lock" % self.prefix)
        with self.assertRaisesRegex(streamem.RingError, "another writer"):
            self.create()

    def test_a_lock_on_a_file_that_lost_its_name_counts_for_nothing(self):
        """The last owner unlinks it between our open and our lock, and another starter makes a new one."""
        path, take, other = "/dev/shm/.%s.s.lock" % self.prefix, streamem._try_lock, []

        def take_late(fd):
            streamem._try_lock = take
            os.unlink(path)
            other.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self.assertTrue(take(other[0]))
            return take(fd)

        streamem._try_lock = take_late
        with self.assertRaisesRegex(streamem.RingError, "another writer"):
            self.create()
        os.close(other[0])

    def test_many_starters_at_once_one_wins_each_time(self):
        starters = [self.start("starter", "s", ready=False) for _ in range(6)]
        for starter in starters:  # each closes at once, so within its second each gets its turn
            self.assertEqual(starter.line(), "created")
        self.assertEqual(self.entries(), [])

    def test_a_dead_writer_is_taken_over(self):
        child = self.start("writer", "s", 2)
        child.kill()
        old = os.open("/dev/shm/%s.s" % self.prefix, os.O_RDONLY)
        self.create().publish(bytes(bytearray(16)))
        self.assertEqual(os.pread(old, 1, 140), b"\1")  # RETIRED, for the readers of the old one
        os.close(old)

    def fork_and_kill(self, how):
        """A writer forks and dies; its child lives on. What the child said."""
        child = self.start("writer", "s", 1)
        pid, words = child.ask("fork " + how).split(" ", 1)
        self.addCleanup(os.kill, int(pid), signal.SIGKILL)
        reader = self.open()
        self.assertEqual((child.ask("publish 1"), reader.state), ("2", "live"))
        child.kill()
        self.assertEqual(reader.state, "dead")
        self.create().publish(bytes(bytearray(16)))
        return words

    @unittest.skipUnless(hasattr(os, "register_at_fork"), "before Python 3.7 os.fork() cannot be seen: not tested")
    def test_a_forked_child_does_not_keep_the_locks(self):
        """Fails without `_register_at_fork(...)`, and where _Made._map maps self.fd: a mapping holds the lock too."""
        self.assertEqual(self.fork_and_kill("and-sleep"), "sleeps")

    def test_a_forked_child_does_not_write(self):
        self.assertIn("a forked child cannot write it", self.fork_and_kill("and-publish"))

    def test_a_forked_reader_reads_on(self):
        writer = self.create()
        writer.publish(bytes(bytearray(16)))
        reader = self.open()
        reader.fileno()
        pid = os.fork()
        if pid == 0:
            os._exit(0 if reader.latest().seq == 1 and reader.fileno() >= 0 and reader.newest(0) is None else 1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        writer.publish(bytes(bytearray(16)))
        self.assertEqual(reader.next().seq, 2)

    def test_an_exit_without_close_retires(self):
        child = self.start("writer", "s", 1)
        reader = self.open()
        child.process.stdin.close()
        self.assertEqual(child.process.wait(), 0)
        self.assertEqual((reader.state, self.entries()), ("retired", []))

    def test_close_leaves_alone_what_is_not_its_own(self):
        writer = self.create()
        for entry in self.entries():
            os.unlink("/dev/shm/" + entry)
        self.start("writer", "s")
        before = self.entries()
        writer.close()
        self.assertEqual((self.entries(), len(before)), (before, 2))


class KilledAtEachStep(support.RingTest):
    """A writer dies before each system call of taking over from a dead one; the next one finds nothing in its way."""

    def test_each(self):
        self.start("writer", "s", 1).kill()
        reader, step, words = self.open(), 0, ""
        while words != "published":
            step += 1
            self.assertLess(step, 100)
            child = self.start("killed_at", "s", step, ready=False)
            words = child.line()
            self.assertEqual(child.process.wait(), -signal.SIGKILL)
            self.assertIsNotNone(reader.last(1))
        self.assertGreater(step, 20)
        self.assertEqual(self.entries(), [".%s.s.lock" % self.prefix, "%s.s" % self.prefix])
        while reader.state != "dead" or reader.latest() is None:
            self.assertIsNotNone(reader.generation)
        with self.create() as writer:
            writer.publish(bytes(bytearray(16)))
            while reader.generation != writer.generation:
                pass
            self.assertEqual(reader.latest().seq, 1)
        self.assertEqual(self.entries(), [])


class Files(support.RingTest):
    def mode(self, path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def test_modes(self):
        writer = self.create()
        lock = "/dev/shm/.%s.s.lock" % self.prefix
        self.assertEqual((self.mode(writer.path), self.mode(lock)), (0o600, 0o600))
        writer.close()
        writer = self.create(group=os.getegid())
        self.assertEqual((self.mode(writer.path), self.mode(lock)), (0o640, 0o600))
        self.assertRaises(streamem.RingError, streamem.create, "t", {"kind": "message"}, group="no such group")

    def test_stale_temporaries_are_swept_and_others_are_not(self):
        start = "/dev/shm/.%s." % self.prefix
        stale, others = start + "s." + "0" * 16, [start + "s.b." + "0" * 16, start + "s." + "0" * 15, start + "s.lock2"]
        for path in [stale] + others:
            open(path, "w").close()
        self.create()
        self.assertFalse(os.path.exists(stale))
        for path in others:
            self.assertTrue(os.path.exists(path))

    def test_what_is_in_the_way(self):
        path = "/dev/shm/%s.s" % self.prefix
        for make, remove in ((os.mkdir, os.rmdir), (os.mkfifo, os.unlink), (lambda p: os.symlink("/etc/passwd", p), os.unlink)):
            make(path)
            with self.assertRaisesRegex(streamem.RingError, "in the way"):
                self.create()
            remove(path)
            self.assertEqual(self.entries(), [])
        open(path, "w").close()  # ours, and no ring: replaced
        self.create().publish(bytes(bytearray(16)))

    @unittest.skipIf(os.geteuid() != 0, "only root can make a file of another user: the owner check is not tested")
    def test_a_file_of_another_user_is_in_the_way(self):
        for name in ("%s.s", ".%s.s.lock"):
            path = "/dev/shm/" + name % self.prefix
            open(path, "w").close()
            os.chown(path, 65534, 65534)
            with self.assertRaisesRegex(streamem.RingError, "in the way|cannot be opened"):
                self.create()
            os.unlink(path)


class Descriptors(support.RingTest):
    def test_what_is_added(self):
        writer = self.create("cam", descriptor={"kind": "video", "dtype": "|u1", "shape": [2, 2, 3], "rate": 5, "mine": [1]})
        d = self.open("cam").descriptor
        self.assertEqual(d, writer.descriptor)
        self.assertEqual(d["shm"].pop("generation"), writer.generation)
        self.assertEqual(d["shm"], {"object": "/%s.cam" % self.prefix, "path": writer.path, "slotCount": 8, "slotStride": 192,
                                    "payloadCapacity": 12})
        self.assertEqual((d["name"], d["wake"], d["mine"]), ("cam", None, [1]))
        self.assertEqual(d["clock"], {"name": "CLOCK_MONOTONIC", "unit": "ns", "epoch": "boot", "method": "local"})

    def test_default_slots(self):
        for kind, slots in (("video", 8), ("depth", 8), ("tensor", 8), ("audio", 64), ("imu", 256), ("pose", 256), ("message", 256)):
            with self.create(descriptor={"kind": kind, "dtype": "<f4", "shape": [2]}) as writer:
                self.assertEqual(writer.descriptor["shm"]["slotCount"], slots)

    def test_pages(self):
        with self.create(descriptor={"kind": "tensor", "dtype": "|u1", "shape": [4096]}) as writer:
            self.assertEqual(writer.descriptor["shm"]["slotStride"], 8192)
            writer.publish(bytes(bytearray(4096)))
            data = self.open().latest()
            self.assertEqual(((data._at << 3) + data._ring.payload_offset) % 4096, 0)

    def test_refused(self):
        good = {"kind": "tensor", "dtype": "|u1", "shape": [4]}
        for bad in ({"kind": "film"}, {"dtype": "uint8"}, {"dtype": None}, {"dtype": [["x"]]}, {"shape": None}, {"shape": [-1]},
                    {"shape": [1] * 9}, {"fields": [{"name": "x"}]}, {"fields": [{"name": "x", "dtype": "<f4", "offset": 70000}]},
                    {"rate": float("nan")}, {"note": "x" * 70000}, {"note": b"x"}, {"strides": [1, 2]}):
            with self.assertRaises(streamem.RingError) as caught:
                streamem.create("s", dict(good, **bad))
            self.assertTrue(re.search("stream s", str(caught.exception)), caught.exception)
        for options in ({"slots": 3}, {"slots": 65537}, {"slots": 4.5}, {"payload_capacity": 0}, {"payload_capacity": 1 << 41}):
            self.assertRaises(streamem.RingError, streamem.create, "s", good, **options)
        self.assertRaises(streamem.RingError, streamem.create, "s", None)
        self.assertRaises(streamem.RingError, streamem.create, "S", good)
        self.assertEqual(self.entries(), [])

    def test_a_frame_that_does_not_fit_begins_a_generation(self):
        writer = self.create(descriptor={"kind": "tensor", "dtype": "<u2", "shape": [2, 2]})
        self.assertEqual(writer.publish(bytes(bytearray(8))), 1)
        self.assertEqual(writer.publish(bytes(bytearray(8))), 2)
        reader = self.open()
        self.assertEqual(writer.publish(bytes(bytearray(24)), shape=[3, 4]), 1)
        frame = reader.newest(support.PATIENCE_S)
        self.assertEqual((frame.shape, reader.descriptor["shape"], frame.seq), ((3, 4), [3, 4], 1))
        for data, shape in ((bytes(bytearray(7)), None), (bytes(bytearray(8)), [3]), (bytes(bytearray(8)), [-1]), (5, None)):
            with self.assertRaises(streamem.RingError):
                writer.publish(data, shape=shape)
        for bad in ({"device_time": -1}, {"capture_time_ns": 2 ** 64}, {"clock_epoch": 2 ** 32}, {"time_error_ns": 1.5}):
            with self.assertRaises(streamem.RingError):
                writer.publish(bytes(bytearray(24)), **bad)


if __name__ == "__main__":
    unittest.main()
