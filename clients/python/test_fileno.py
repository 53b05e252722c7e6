"""fileno(): one number for select and asyncio for the reader's life, through a doorbell or through a thread on the futex."""

import array
import asyncio
import binascii
import os
import select
import socket
import struct
import threading
import unittest

import streamem
import support

FRAME = bytes(bytearray(16))


class Doorbell(object):
    """The documented message from a socket of the test's: what the hub's producers have."""

    def __init__(self, path, writer):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(path)
        self.server.listen(8)
        self.peers, self.writer = [], writer
        self.answered = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            mine, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)[::-1]
            ring = os.open("/proc/self/fd/%d" % self.writer._made.fd, os.O_RDONLY)
            message = b"SMBELL01" + binascii.unhexlify(self.writer.generation)
            rights = array.array("i", [theirs, ring]).tobytes()
            self.peers.append((peer, mine))
            peer.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            os.close(theirs)
            os.close(ring)
            self.answered.release()

    def ring(self):
        for _, bell in self.peers:
            os.write(bell, b"12345678")

    def end(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()
        for peer, bell in self.peers:
            peer.close()
            os.close(bell)


class Fileno(support.RingTest):
    def readable(self, reader, seconds=support.PATIENCE_S):
        return bool(select.select([reader], [], [], seconds)[0])

    def drained(self, reader):
        """Takes frames until the descriptor is silent; their sequences. The thread's own looks twice a second do not count."""
        seqs, silent = [], 0
        while silent < 3:
            frame = reader.next(0)
            if frame is not None:
                seqs.append(frame.seq)
                silent = 0
            silent += not self.readable(reader, 0.05)
        return seqs

    def doorbell(self, writer):
        bell = Doorbell(os.path.join(self.folder, os.path.basename(writer.path) + ".sock"), writer)
        self.addCleanup(bell.end)
        return bell

    def test_a_frame_makes_it_readable_and_taking_it_makes_it_silent(self):
        writer, reader = self.create(), self.open()
        self.assertEqual(self.drained(reader), [])
        for n in range(1, 20):
            writer.publish(FRAME)
            self.assertTrue(self.readable(reader))
            self.assertEqual(self.drained(reader), [n])

    def test_three_frames_are_not_one_event(self):
        writer, reader = self.create(), self.open()
        writer.publish(FRAME)
        self.assertEqual(self.drained(reader), [1])
        for _ in range(3):
            writer.publish(FRAME)
        seqs = []
        while len(seqs) < 3:
            self.assertTrue(self.readable(reader))
            frame = reader.next(0)  # one at a time, as a callback does
            seqs += [frame.seq] if frame is not None else []
        self.assertEqual(seqs, [2, 3, 4])

    def test_the_number_stays_through_kills_and_it_wakes_for_each_successor(self):
        child = self.start("writer", "s", 1)
        reader = self.open()
        number = reader.fileno()
        for _ in range(3):
            while True:
                self.assertTrue(self.readable(reader))
                frame = reader.newest(0)
                if frame is not None:
                    break
            child.kill()
            child = self.start("writer", "s", 1)
            self.assertEqual(reader.fileno(), number)

    def test_it_does_not_spin_while_the_writer_is_gone(self):
        for end in ("kill", "close"):
            child = self.start("writer", end, 1)
            reader = self.open(end)
            self.drained(reader)
            child.kill() if end == "kill" else child.ask("close")
            stop, events = streamem._monotonic() + 3, 0
            while streamem._monotonic() < stop:
                if self.readable(reader, 0.1):
                    events += 1
                    self.assertIsNone(reader.newest(0))
            self.assertLess(events, 25, end)  # 2 a second, and about 9 in the first

    def test_asyncio(self):
        writer, reader, seqs = self.create(), self.open(), []
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)

        def readable():
            for frame in iter(lambda: reader.next(0), None):
                seqs.append(frame.seq)
            if len(seqs) >= 50:
                loop.stop()
            else:
                loop.call_soon(publish, len(seqs))

        def publish(have):
            if writer.seq == have:
                writer.publish(FRAME)

        loop.add_reader(reader.fileno(), readable)
        loop.call_soon(publish, 0)
        loop.call_later(support.PATIENCE_S, loop.stop)
        loop.run_forever()
        loop.remove_reader(reader.fileno())
        self.assertEqual(seqs, list(range(1, 51)))

    def test_latest_makes_it_silent_too(self):
        writer, reader = self.create(), self.open()
        reader.fileno()
        writer.publish(FRAME)
        self.assertTrue(self.readable(reader))
        silent = 0
        while silent < 3:
            self.assertEqual(reader.latest().seq, 1)
            silent += not self.readable(reader, 0.05)

    def test_through_a_doorbell(self):
        writer, reader = self.create(), self.open()
        bell = self.doorbell(writer)
        reader.fileno()
        self.assertIsNone(reader._bell._feeder)  # no thread: the socket's descriptor does it
        self.assertEqual(self.drained(reader), [])
        self.assertFalse(self.readable(reader, 1.2))  # nor does it look by itself
        for n in range(1, 10):
            writer.publish(FRAME)
            self.assertFalse(self.readable(reader, 0))
            bell.ring()
            self.assertTrue(self.readable(reader))
            self.assertEqual(self.drained(reader), [n])

    def test_the_end_of_the_doorbell_and_a_successor_with_another(self):
        writer, reader = self.create(), self.open()
        first = Doorbell(os.path.join(self.folder, self.prefix + ".s.sock"), writer)
        number = reader.fileno()
        self.drained(reader)
        first.end()
        os.unlink(os.path.join(self.folder, self.prefix + ".s.sock"))
        self.assertTrue(self.readable(reader))
        self.assertEqual(self.drained(reader), [])
        writer.renew()
        second = self.doorbell(writer)
        while not second.peers:
            self.assertTrue(self.readable(reader))
            self.assertIsNone(reader.next(0))
        second.answered.acquire()
        writer.publish(FRAME)
        second.ring()
        while reader.next(0) is None:
            self.assertTrue(self.readable(reader))
        self.assertEqual((reader.fileno(), reader._bell._feeder), (number, None))

    def test_the_ring_itself_comes_through_the_doorbell(self):
        writer = self.create()
        writer.publish(FRAME)
        self.doorbell(writer)
        os.rename(writer.path, "/dev/shm/.%s.hidden" % self.prefix)  # as where /dev/shm is not shared
        try:
            reader = self.open()
            self.assertEqual((reader.latest().seq, reader.state), (1, "live"))
            writer.publish(FRAME)
            self.assertEqual(reader.newest(support.PATIENCE_S).seq, 2)
        finally:
            os.rename("/dev/shm/.%s.hidden" % self.prefix, writer.path)

    def test_what_is_no_doorbell_is_passed_over(self):
        writer, path = self.create(), os.path.join(self.folder, self.prefix + ".s.sock")
        writer.publish(FRAME)
        before = len(os.listdir("/proc/self/fd"))
        for message, fds in ((b"", 0), (b"SMBELL01" + b"x" * 16, 0), (b"SMBELL01" + b"x" * 16, 1), (b"SMBELL01" + b"x" * 16, 3),
                             (b"WRONG001" + b"x" * 16, 2), (b"SMBELL01" + b"x" * 16, 2), (b"SMBELL01" + b"x" * 40, 2)):
            server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            server.bind(path)
            server.listen(1)
            thread = threading.Thread(target=self.answer_once, args=(server, message, fds))
            thread.start()
            reader = self.open()
            self.assertTrue(self.readable(reader))
            self.assertEqual(self.drained(reader), [1])
            thread.join()
            server.close()
            os.unlink(path)
            reader.close()
            del reader
        support.collect()
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), before)

    def answer_once(self, server, message, fds):
        peer, _ = server.accept()
        rights = array.array("i", [0] * fds).tobytes()
        peer.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if fds else [])
        peer.close()

    def test_close_leaves_nothing(self):
        writer = self.create()
        threads, fds = threading.active_count(), len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            with streamem.open("s") as reader:
                reader.fileno()
                feeder = reader._bell._feeder
            feeder.join(support.PATIENCE_S)
            del reader, feeder
        support.collect()
        self.assertLessEqual(threading.active_count(), threads)  # one of a test before may have ended meanwhile
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), fds)
        writer.publish(FRAME)

    def test_a_producer_that_wakes_nobody_is_polled(self):
        writer = self.create()
        os.pwrite(writer._made.fd, struct.pack("<I", 0), streamem._AT["wake_mode"])
        reader = self.open()
        self.assertEqual(self.drained(reader), [])
        for n in range(1, 4):
            writer.publish(FRAME)
            self.assertTrue(self.readable(reader))
            self.assertEqual(self.drained(reader), [n])


if __name__ == "__main__":
    unittest.main()
