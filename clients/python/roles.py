"""What the tests' other processes do: `python3 roles.py ROLE ARGUMENTS`. Each prints "ready" once it has begun."""

import itertools
import json
import os
import random
import sys
import time

import streamem
import support


def say(words):
    print(words)
    sys.stdout.flush()


def torn_writer(name):
    """Publishes frames whose every word depends on the sequence, as fast as it can, until it is killed."""
    writer = streamem.create(name, support.TORN, slots=4)
    say("ready")
    for seq in itertools.count(1):
        writer.publish(support.FRAMES[seq % support.KINDS], **support.torn_meta(seq))


def torn_reader(name, deliveries, rejections, generations):
    """Takes frames by every verb and is slow on purpose, until the writer has overtaken it so many times; prints what it saw."""
    reader = streamem.open(name, timeout=support.PATIENCE_S)
    out = bytearray(4096)
    verbs = (
        lambda: [reader.latest()], lambda: [reader.next(1)], lambda: reader.last(3), lambda: [reader.newest(1)],
        lambda: [reader.nearest(max(0, (reader.latest().seq - 2) * 1000))] if reader.latest() else [],
        lambda: reader.last(2))
    seen = {"delivered": 0, "rejected": 0, "torn": 0, "stacked": 0, "generations": []}
    say("ready")
    end = time.time() + support.PATIENCE_S
    while time.time() < end and not seen["torn"] and not (seen["delivered"] >= int(deliveries) and seen["rejected"] >= int(rejections)
                                     and len(seen["generations"]) >= int(generations)):
        for verb in verbs:
            for frame in verb():
                if frame is not None:
                    judge(frame, out, seen)
        stack = reader.stack(3) if random.random() < 0.1 else None
        if stack is not None:
            judge_stack(stack, seen)
    say(json.dumps(seen))


def judge(frame, out, seen):
    if frame.generation not in seen["generations"]:
        seen["generations"].append(frame.generation)
    kind = frame.seq % support.KINDS
    whole = support.meta_is_of(frame) and frame.shape == (support.WORDS[kind],)
    be_late(frame, random.randrange(8))
    way = random.randrange(3)
    try:
        if way == 0:
            got = bytes(frame.copy())
        elif way == 1:
            got = bytes(frame.copy(out)[:frame.nbytes])
        else:
            got = bytes(frame.data)
            if not frame.valid():
                raise streamem.Lapped("by hand")
        seen["delivered"] += 1
        whole = whole and got == support.FRAMES[kind]
    except streamem.Lapped:
        seen["rejected"] += 1
    seen["torn"] += not whole


def be_late(frame, frames):
    """Until the writer is so many frames ahead: with 4 slots 3 means that it is just writing over this one."""
    words = frame._ring.words
    for spins in range(1, 10001):
        if words[support.LATEST] >= frame.seq + frames:
            break
        if spins % 200 == 0:
            time.sleep(1e-5)  # where cores are few the writer needs this one


def judge_stack(stack, seen):
    whole = memoryview(stack.array).cast("B").tobytes()
    frames = [support.FRAMES[seq % support.KINDS] for seq in stack.seqs]
    seen["stacked"] += 1
    seen["torn"] += whole != b"".join(frames)


def writer(name, frames="0", slots="8"):
    """Publishes so many frames of 16 bytes, then does what it is told, line by line."""
    made = streamem.create(name, {"kind": "tensor", "dtype": "|u1", "shape": [16], "rate": 30}, slots=int(slots))
    for _ in range(int(frames)):
        made.publish(bytes(bytearray(16)))
    say("ready")
    for line in sys.stdin:
        command = line.split()
        if command[0] == "publish":
            say(made.publish(bytes(bytearray([int(command[1])] * 16)), capture_time_ns=int(command[1])))
        elif command[0] == "generation":
            say(made.generation)
        elif command[0] == "renew":
            made.renew()
            say(made.generation)
        elif command[0] == "fork":
            say(fork_a_sleeper(made, command[1] == "and-publish"))
        elif command[0] == "close":
            made.close()
            say("closed")
        elif command[0] == "leave":
            return  # without close(): the end of the program does it


def fork_a_sleeper(made, publish):
    """A child that lives on, as a DataLoader's worker does, with all that it inherited."""
    inside, outside = os.pipe()
    pid = os.fork()
    if pid == 0:
        words = "sleeps"
        try:
            if publish:
                words = made.publish(bytes(bytearray(16)))
        except streamem.RingError as error:
            words = str(error)
        os.write(outside, words.encode() + b"\n")
        os.close(1)
        while True:
            time.sleep(60)
    return "%d %s" % (pid, os.read(inside, 1000).decode().strip())


STEPS = ["open", "close", "unlink", "posix_fallocate", "pread", "pwrite", "fchown", "fchmod", "rename"]


def killed_at(name, step):
    """Creates and publishes once, with its own SIGKILL before the so-manieth of the system calls that can be told apart."""
    left = [int(step)]

    def counted(call):
        def wrapper(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), 9)
            return call(*arguments, **options)
        return wrapper

    for step in STEPS:
        setattr(os, step, counted(getattr(os, step)))
    streamem._Page.wake = counted(streamem._Page.wake)
    made = streamem.create(name, {"kind": "tensor", "dtype": "|u1", "shape": [16]}, group=os.getegid())
    made.publish(bytes(bytearray(16)))
    say("published")
    os.kill(os.getpid(), 9)


def starter(name):
    """Tries to become the writer and says how that went."""
    try:
        streamem.create(name, {"kind": "message"}).close()
        say("created")
    except streamem.RingError as error:
        say("%s: %s" % (error.errno, error))


def big(name, size, slots):
    """Creates a ring of slots x size bytes, touches all of it, and then another in its place."""
    say("ready")
    try:
        made = streamem.create(name, {"kind": "tensor", "dtype": "|u1", "shape": [int(size)]}, slots=int(slots))
        for _ in range(2):
            for _ in range(int(slots)):
                made.publish(bytes(bytearray(int(size))))
            made.renew()
        say("made " + " ".join(os.listdir("/dev/shm")))
    except streamem.RingError as error:
        say("%s: %s" % (error.errno, error))


def waiter(name):
    """Waits for ever for frames and prints their sequences."""
    reader = streamem.open(name, timeout=support.PATIENCE_S)
    try:
        say("ready")
        for frame in reader:
            say(frame.seq)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
