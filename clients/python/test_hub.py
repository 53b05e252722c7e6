"""Rings and doorbells of the hub's own writers, which are made of C and TypeScript, and its readers on rings made here."""

import json
import os
import select
import shutil
import unittest

import streamem
import support

RING = os.path.join(support.HERE, "..", "..", "src", "ring.ts")

WRITER = """
const { createWriter } = await import(process.argv[1]);
const say = (words) => console.log(String(words));
const spec = { kind: "tensor", dtype: "<u2", shape: [2, 4], rate: 30,
               fields: [{ name: "gain", dtype: "<f8", shape: [], offset: 0, unit: "dB" }] };
try {
  let ring = createWriter("s", spec);
  say("ready");
  for await (const line of console) {
    const [verb, number] = line.split(" ");
    const n = Number(number ?? 0);
    const meta = { captureTimeNs: BigInt(n), deviceTime: BigInt(n + 1), fields: new Uint8Array(new Float64Array([n / 2]).buffer) };
    if (verb === "publish") say(ring.publish(new Uint16Array(8).fill(n), meta));
    else if (verb === "renew") say((ring.renew(spec), ring.generation));
    else if (verb === "generation") say(ring.generation);
    else if (verb === "close") { ring.close(); say("closed"); }
  }
} catch (error) {
  say(error.message);
}
"""

READER = """
const { openReader } = await import(process.argv[1]);
const reader = await openReader("s");
console.log("ready");
for await (const line of console) {
  const frame = await reader.newest({ timeoutMs: 60000 });
  console.log(JSON.stringify({ seq: String(frame.seq), data: Array.from(frame.data), shape: frame.shape, time: String(frame.captureTimeNs),
                               fields: frame.fields, generation: frame.generation, state: reader.state }));
}
"""


@unittest.skipUnless(shutil.which("bun") and os.path.exists(RING), "the hub is not here: only this client's own rings are tested")
class Hub(support.RingTest):
    def bun(self, script, ready="ready"):
        child = support.Child(["bun", "-e", script, os.path.abspath(RING)], self.environment)
        self.children.append(child)
        if ready:
            self.assertEqual(child.line(), ready)
        return child

    def test_its_frames(self):
        child = self.bun(WRITER)
        reader = self.open()
        self.assertIsNone(reader.latest())
        self.assertEqual(child.ask("publish 7"), "1")
        frame = reader.next(support.PATIENCE_S)
        self.assertEqual(memoryview(frame.copy()).cast("B").tobytes(), b"\x07\0" * 8)
        self.assertEqual((frame.shape, frame.capture_time_ns, frame.device_time, frame.time_error_ns), ((2, 4), 7, 8, None))
        self.assertEqual((frame.fields, reader.state), ({"gain": 3.5}, "live"))
        self.assertEqual(reader.descriptor["wake"], os.path.join(self.folder, self.prefix + ".s.sock"))
        generation = child.ask("renew")
        self.assertEqual(child.ask("publish 8"), "1")
        self.assertEqual(reader.next(support.PATIENCE_S).generation, generation)
        child.ask("close")
        self.assertEqual(reader.state, "retired")

    def test_its_doorbell(self):
        child = self.bun(WRITER)
        reader = self.open()
        number = reader.fileno()
        for _ in range(3):
            for n in range(1, 4):
                child.ask("publish %d" % n)
                self.wait_for(reader, n)
                self.assertIsNone(reader._bell._feeder)
            child.kill()
            child = self.bun(WRITER)
        self.assertEqual(reader.fileno(), number)

    def wait_for(self, reader, seq):
        frame = reader.next(0)
        while frame is None:
            self.assertTrue(select.select([reader], [], [], support.PATIENCE_S)[0])
            frame = reader.next(0)
        self.assertEqual(frame.seq, seq)

    def test_each_refuses_the_other_as_second_writer(self):
        child = self.bun(WRITER)
        with self.assertRaisesRegex(streamem.RingError, "another writer"):
            self.create()
        child.kill()
        with self.create() as writer:  # takes over
            self.assertIn("writer already", self.bun(WRITER, ready=None).line())
            writer.publish(bytes(bytearray(16)))
        self.bun(WRITER)

    def test_its_reader_on_a_ring_made_here(self):
        fields = [{"name": "f", "dtype": "<u2"}]
        writer = self.create(descriptor={"kind": "tensor", "dtype": "|u1", "shape": [4], "fields": fields})
        writer.publish(b"\1\2\3\4")
        child = self.bun(READER)
        self.assertEqual(json.loads(child.ask("next")), {
            "seq": "1", "data": [1, 2, 3, 4], "shape": [4], "time": "null", "fields": {}, "generation": writer.generation,
            "state": "live"})
        writer.renew()
        writer.publish(b"\5\6", capture_time_ns=9, fields={"f": 258})
        told = json.loads(child.ask("next"))
        self.assertEqual((told["seq"], told["data"], told["shape"], told["time"], told["fields"], told["generation"]),
                         ("1", [5, 6], [2], "9", {"f": 258}, writer.generation))

    @unittest.skipIf(os.geteuid() != 0, "a mount namespace of one's own needs root: a reader without /dev/shm is not tested")
    def test_a_reader_without_dev_shm(self):
        """Only the socket's folder is shared, as with a container; it follows a restart."""
        child = self.bun(WRITER)
        child.ask("publish 1")
        inside = self.start("waiter", "s", before=["unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev/shm && exec \"$0\" \"$@\""])
        self.assertEqual(inside.line(), "1")
        child.ask("publish 2")
        self.assertEqual(inside.line(), "2")
        child.kill()
        child = self.bun(WRITER)
        for n in ("1", "2"):
            self.assertEqual((child.ask("publish " + n), inside.line()), (n, n))


if __name__ == "__main__":
    unittest.main()
