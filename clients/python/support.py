"""What the tests share: names of their own in /dev/shm, real processes, and frames whose every word depends on the sequence."""

import gc
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

import streamem

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 120  # until a test calls it hung; no test measures time by it


def collect():
    """PyPy closes and unmaps when it collects; what has a __del__ goes in one round, what that held in the next."""
    for _ in range(4):
        gc.collect()


def entries(prefix):
    return sorted(e for e in os.listdir("/dev/shm") if e.startswith((prefix + ".", "." + prefix + ".")))


class RingTest(unittest.TestCase):
    """A prefix and a doorbell folder of its own; whatever is left in /dev/shm or running at the end is removed."""

    count = 0

    def setUp(self):
        RingTest.count += 1
        self.prefix = "tpy%d-%d" % (os.getpid(), RingTest.count)
        self.folder = tempfile.mkdtemp(prefix="streamem-test-")
        self.children = []
        self.environment = dict(os.environ, STREAMEM_PREFIX=self.prefix, STREAMEM_DIR=self.folder)
        os.environ.update(STREAMEM_PREFIX=self.prefix, STREAMEM_DIR=self.folder)

    def tearDown(self):
        for child in self.children:
            child.end()
        for entry in entries(self.prefix):
            os.unlink(os.path.join("/dev/shm", entry))
        shutil.rmtree(self.folder)

    def start(self, role, *arguments, **options):
        """A process that runs one of roles.py; its first line must be "ready"."""
        command = options.pop("before", []) + [sys.executable, os.path.join(HERE, "roles.py"), role]
        child = Child(command + [str(a) for a in arguments], self.environment)
        self.children.append(child)
        if options.pop("ready", True):
            self.assertEqual(child.line(), "ready")
        return child

    def create(self, name="s", **options):
        descriptor = options.pop("descriptor", {"kind": "tensor", "dtype": "|u1", "shape": [16]})
        writer = streamem.create(name, descriptor, **options)
        self.addCleanup(writer.close)
        return writer

    def open(self, name="s", **options):
        reader = streamem.open(name, **options)
        self.addCleanup(reader.close)
        return reader

    def entries(self):
        return entries(self.prefix)


class Child(object):
    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self):
        return self.process.stdout.readline().decode().strip()

    def json(self):
        return json.loads(self.line())

    def ask(self, words):
        """Sends a line and returns the answer."""
        self.process.stdin.write((words + "\n").encode())
        self.process.stdin.flush()
        return self.line()

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


LATEST = streamem.layout()["segmentHeader"]["latest"] // 8

# Frames of 64 bytes to 4 KiB. Each word of 8 bytes is made from the sequence and its place, so that a frame mixed from two
# writes differs somewhere, wherever the cut is. 251 kinds are enough: a reader is never lapped so often within one read.
KINDS = 251
WORDS = [8 + (kind * 37) % 505 for kind in range(KINDS)]
FRAMES = [struct.pack("<%dQ" % n, *[(kind + 1) * 0x9E3779B97F4A7C15 + i * 0x100000001B3 & 2 ** 64 - 1 for i in range(n)])
          for kind, n in enumerate(WORDS)]
FIELDS = [{"name": "twice", "dtype": "<u8"}, {"name": "pair", "dtype": "<u4", "shape": [2]}]
TORN = {"kind": "tensor", "dtype": "<u8", "shape": [512], "fields": FIELDS}


def torn_meta(seq):
    """What the writer says about frame seq, each number from the sequence."""
    return {"device_time": seq * 7, "capture_time_ns": seq * 1000, "time_error_ns": seq * 3, "clock_epoch": seq % 1000,
            "fields": {"twice": seq * 2, "pair": [seq % 1009, seq % 1013]}}


def meta_is_of(frame):
    return {"device_time": frame.device_time, "capture_time_ns": frame.capture_time_ns, "time_error_ns": frame.time_error_ns,
            "clock_epoch": frame.clock_epoch, "fields": frame.fields} == torn_meta(frame.seq)
