"""peer.h in Python: the same turns, frames, sums and control file, for a peer that is a Python file beside this one.

    peer.py PEER NAME MODE BYTES READERS PACED RATE BURST_MS      writes, and reads in forked children
    peer.py --reader PEER MODE CONTROL NAME BYTES NUMBER          reads what a program of another language writes

A peer's file has

    share(setup)               made before the processes part: a queue, a server; returned to Writer and Reader as setup.shared
    Writer(setup)              put(frame): carries a writable buffer that is filled again after the call; close(); pids: processes
                               whose CPU time is the writer's too
    Reader(setup)              get(): waits for a frame not taken yet, however long; its bytes, as anything with a buffer, or
                               None to be called again. done(): after the bytes were used; False when they were overwritten meanwhile

share, close, pids, and done may be missing. setup has name, mode, bytes, readers, and in a reader index."""

import ctypes
import importlib.util
import json
import mmap
import os
import platform
import signal
import sys
import time
import types

import numpy

WARM_UP, PACED, BURST = 0, 1, 2
BLOCK_WORDS, SAMPLES_AT, SAMPLES_MAX, OWN_WORDS, PATIENCE, WARM_UPS = 4096, 16, 2000, 3, 6, 10
WORD, GOLDEN = (1 << 64) - 1, 0x9E3779B97F4A7C15
now = time.monotonic_ns


def mixed(sequence):
    z = sequence * GOLDEN & WORD
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    return z ^ (z >> 31)


def expected(nbytes, sequence):
    n = nbytes // 8
    places = n * (n - 1) // 2 - OWN_WORDS * (OWN_WORDS - 1) // 2
    return places * GOLDEN + (n - OWN_WORDS) * mixed(sequence) & WORD


def load(peer):
    spec = importlib.util.spec_from_file_location("peer_" + os.path.basename(peer)[:-3], peer)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_for_ever(module, setup, block):
    reader = module.Reader(setup)
    done = getattr(reader, "done", lambda: True)
    block[1] = os.getpid()
    block[0] = 1
    while True:
        asked = now()
        frame = reader.get()
        if frame is None:
            continue
        in_hand = now()
        words = numpy.frombuffer(frame, numpy.uint64)
        total = int(words.sum())
        summed = now()
        sequence, sent, purpose = (int(word) for word in words[:OWN_WORDS])
        del words, frame
        if not done():
            block[6] += 1
            continue
        if total - sequence - sent - purpose & WORD != expected(setup.bytes, sequence):
            block[5] += 1
        if purpose == PACED and block[3] < SAMPLES_MAX:
            at = SAMPLES_AT + 2 * block[3]
            block[at], block[at + 1] = in_hand - sent, summed - sent
        if purpose == BURST:
            block[8] += in_hand - asked
        block[7] = summed
        if purpose <= BURST:
            block[2 + purpose] += 1


class Turns:
    """The writer's side of a run."""

    def __init__(self, module, setup, paced, rate, burst_ms):
        self.setup, self.paced, self.period_s, self.burst_ns = setup, paced, 1 / rate, int(burst_ms * 1e6)
        self.sequence, self.series = 0, {}
        n = setup.bytes // 8
        self.places = numpy.arange(n, dtype=numpy.uint64) * numpy.uint64(GOLDEN)
        self.words = numpy.frombuffer(mmap.mmap(-1, max(setup.bytes, mmap.PAGESIZE)), numpy.uint64, n)  # on a page, as in C
        self.frame = memoryview(self.words).cast("B")
        self.map_control()
        setup.shared = module.share(setup) if hasattr(module, "share") else None
        self.pids = [self.start_reader(module, index) for index in range(setup.readers)]
        self.writer = module.Writer(setup)
        self.await_first()

    def map_control(self):
        setup = self.setup
        self.path = "/dev/shm/.%s.%s.control" % (os.environ.get("STREAMEM_PREFIX", "streamem"), setup.name)
        size = BLOCK_WORDS * 8 * (setup.readers + 1)
        with open(self.path, "wb+") as control:
            control.truncate(size)
            self.control = memoryview(mmap.mmap(control.fileno(), size)).cast("Q")
        self.control[0] = setup.bytes
        self.blocks = [self.control[BLOCK_WORDS * (i + 1):BLOCK_WORDS * (i + 2)] for i in range(setup.readers)]

    def start_reader(self, module, index):
        pid = os.fork()
        if pid:
            return pid
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: ends with its parent, however that ends
        self.setup.index = index
        try:
            read_for_ever(module, self.setup, self.blocks[index])
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    def await_first(self):
        """Whoever connects late, or forgets to say so, is known to be there by a frame."""
        start = now()
        while True:
            self.put(WARM_UP)
            if self.wait_for(WARM_UP, 1, 50_000_000):
                return
            if now() - start > 20_000_000_000:
                raise RuntimeError("a reader has received nothing for 20 s")

    def put(self, purpose):
        """Fills, then puts one frame; ns and CPU ns of the put alone."""
        self.sequence += 1
        numpy.add(self.places, numpy.uint64(mixed(self.sequence)), out=self.words)
        self.words[0], self.words[2] = self.sequence, purpose
        cpu, start = time.thread_time_ns(), now()
        self.words[1] = start
        self.writer.put(self.frame)
        end = now()
        return end - start, time.thread_time_ns() - cpu

    def wait_for(self, purpose, count, patience_ns):
        start, seen = now(), 0
        while True:
            counts = [block[2 + purpose] for block in self.blocks]
            if min(counts) >= count:
                return True
            if sum(counts) != seen:
                start, seen = now(), sum(counts)
            if now() - start > patience_ns:
                return False
            time.sleep(0.001)

    def add(self, what, *samples):
        self.series.setdefault(what, []).extend(samples)

    def round(self):
        self.series = {}
        for block in self.blocks:
            for word in range(2, SAMPLES_AT):
                block[word] = 0
        for sent in range(WARM_UPS):
            self.put(WARM_UP)
            self.wait_for(WARM_UP, sent + 1, 50_000_000)
        self.paced_part()
        if self.burst_ns:
            self.burst_part()
        self.add("torn", *(block[5] for block in self.blocks))
        return [{"case": "", "contender": "", "condition": what, "samples": samples} for what, samples in self.series.items()]

    def paced_part(self):
        helpers = getattr(self.writer, "pids", [])
        before = [cpu_ns(pid) for pid in self.pids]
        others = time.process_time_ns() - time.thread_time_ns() + sum(cpu_ns(pid) for pid in helpers)
        at, put_cpu, sent = time.monotonic(), 0, 0
        patience = at + PATIENCE * self.paced * self.period_s
        while sent < self.paced and time.monotonic() < patience:
            at = max(at + self.period_s, time.monotonic())
            time.sleep(max(0, at - time.monotonic()))
            ns, cpu = self.put(PACED)
            put_cpu += cpu
            self.add("put", ns)
            sent += 1
        self.wait_for(PACED, sent, 400_000_000)
        others = time.process_time_ns() - time.thread_time_ns() + sum(cpu_ns(pid) for pid in helpers) - others
        self.add("writer's CPU", (put_cpu + others) / sent)
        for pid, block, earlier in zip(self.pids, self.blocks, before):
            self.add("reader's CPU", (cpu_ns(pid) - earlier) / sent)
            pairs = [block[SAMPLES_AT + i] for i in range(2 * min(block[3], SAMPLES_MAX))]
            self.add("in hand", *pairs[::2])
            self.add("summed", *pairs[1::2])
            self.add("received", block[3])
            self.add("sent", sent)

    def burst_part(self):
        start, sent, put = now(), 0, 0
        while now() - start < self.burst_ns:
            put += self.put(BURST)[0]
            sent += 1
        self.wait_for(BURST, sent, 100_000_000)
        self.add("burst put", put / max(1, sent))
        self.add("burst get", *(block[8] / block[4] for block in self.blocks if block[4]))
        seconds = (max([start + self.burst_ns] + [block[7] for block in self.blocks]) - start) / 1e9
        if sent:
            self.add("delivered", sum(block[4] for block in self.blocks) * self.setup.bytes / seconds)

    def end(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        os.unlink(self.path)
        getattr(self.writer, "close", lambda: None)()


def cpu_ns(pid):
    return time.clock_gettime_ns(~pid << 3 | 2)  # clock_getcpuclockid() of another process


def run(peer, name, mode, nbytes, readers, paced, rate, burst_ms):
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a peer prints
    module = load(peer)
    setup = types.SimpleNamespace(name=name, mode=mode, bytes=int(nbytes), readers=int(readers))
    try:
        turns = Turns(module, setup, int(paced), float(rate), float(burst_ms))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)  # a peer's own threads would keep it alive; its readers end with it
    versions = {"python": platform.python_version(), "numpy": numpy.__version__}
    print(json.dumps({"ready": True, "pids": turns.pids, "versions": dict(versions, **getattr(module, "versions", {}))}), file=out, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"series": turns.round()}), file=out, flush=True)
    turns.end()


def read(peer, mode, control, name, nbytes, number):
    with open(control, "rb+") as file:
        words = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    setup = types.SimpleNamespace(name=name, mode=mode, bytes=int(nbytes), index=int(number), shared=None)
    read_for_ever(load(peer), setup, words[BLOCK_WORDS * (setup.index + 1):BLOCK_WORDS * (setup.index + 2)])


if __name__ == "__main__":
    if sys.argv[1] == "--reader":
        read(*sys.argv[2:])
    else:
        run(*sys.argv[1:])
