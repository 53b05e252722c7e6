// The verbs of the TypeScript reader and writer, one after the other. test/ring.test.ts runs this program once for each
// build of the shim, since a process has only one. It ends with code 0 when everything held.
import { deepStrictEqual as deepEqual, strictEqual as equal, ok, throws } from "node:assert";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "msgpackr";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { fillNoise, shimOrigin } from "../src/ring/ffi.ts";
import { encodeFields, layOutFields } from "../src/ring/fields.ts";
import { openSegment } from "../src/ring/segment.ts";
import { createWriter, openReader, RingError } from "../src/ring.ts";

const prefix = `t${process.pid}-verbs`;
const directory = mkdtempSync(join(tmpdir(), "streamem-verbs-"));
const options = { prefix, directory };
const fields = layOutFields([
  { name: "gain", dtype: "<f4", shape: [] },
  { name: "ticks", dtype: "<u8", shape: [] },
  { name: "pose", dtype: "<f4", shape: [2, 2] },
]);
const spec: StreamSpec = { kind: "video", dtype: "<u2", shape: [2, 4], rate: 30, fields };
const failsWith = (code: string) => (error: unknown) =>
  error instanceof RingError && error.code === code;
const openFds = () => readdirSync("/proc/self/fd").length;

function picture(value: number): Uint16Array {
  return new Uint16Array(8).fill(value);
}

const steps: Record<string, () => void | Promise<void>> = {
  async "a stream that always has a frame leaves the event loop its turns"() {
    using writer = createWriter("busy", spec, options);
    using reader = await openReader("busy", { prefix });
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 30);
    // Without the turn in RingReader.#wait this goes through to its end and the timer has not fired.
    for (let i = 0; i < 1_000_000 && !fired; i++) {
      writer.publish(picture(i));
      ok(await reader.next());
    }
    ok(fired);
  },
  async "numbers, fields and shape arrive"() {
    using writer = createWriter("a", spec, options);
    using reader = await openReader("a", { prefix });
    equal(reader.latest(), null);
    const bytes = encodeFields(new Uint8Array(32), fields, {
      gain: 0.5,
      ticks: 2n ** 60n,
      pose: [1, 2, 3, 4],
    });
    const sequence = writer.publish(picture(7), {
      deviceTime: 11n,
      captureTimeNs: 12n,
      timeErrorNs: 13n,
      clockEpoch: 2,
      shape: [1, 8],
      fields: bytes,
    });
    equal(sequence, 1n);
    const frame = reader.latest();
    ok(frame);
    equal(frame.array.join(), "7,7,7,7,7,7,7,7");
    equal(frame.shape.join(), "1,8");
    equal(frame.deviceTime, 11n);
    equal(frame.captureTimeNs, 12n);
    equal(frame.timeErrorNs, 13n);
    equal(frame.clockEpoch, 2);
    equal(frame.fields.gain, 0.5);
    equal(frame.fields.ticks, 2n ** 60n);
    equal(String(frame.fields.pose), "1,2,3,4");
    equal(frame.generation, writer.generation);
    ok(frame.publishTimeNs > 0n && frame.publishUtcNs > frame.publishTimeNs);
    writer.publish(picture(8));
    const bare = reader.latest();
    equal(bare?.captureTimeNs, null);
    equal(bare?.shape.join(), "2,4");
  },

  async "next counts what was overwritten, last and stack keep the order"() {
    using writer = createWriter("b", spec, { ...options, slots: 6 });
    using reader = await openReader("b", { prefix });
    writer.publish(picture(1));
    equal((await reader.next())?.seq, 1n);
    for (let i = 2; i <= 4; i++) writer.publish(picture(i));
    for (let i = 2n; i <= 4n; i++) equal((await reader.next())?.seq, i);
    for (let i = 5; i <= 20; i++) writer.publish(picture(i));
    const lapped = await reader.next({ timeoutMs: 0 });
    equal(lapped?.seq, 20n);
    equal(lapped?.missed, 15n);
    equal(reader.missed, 15n);
    equal(
      reader
        .last(5)
        .map((frame) => frame.seq)
        .join(),
      "16,17,18,19,20",
    );
    throws(() => reader.last(6), failsWith("ERANGE"));
    throws(() => reader.last(0), failsWith("ERANGE"));
    const first = reader.stack(3);
    equal(first.sequences.join(), "18,19,20");
    equal(first.shape.join(), "3,2,4");
    for (let i = 21; i <= 40; i++) {
      writer.publish(picture(i));
      if (i % 2 === 0) reader.latest();
    }
    const wide = reader.stack(3);
    equal(wide.sequences.join(), "36,38,40");
    equal(
      new Uint16Array(wide.data.buffer, 0, 24).join(),
      "36,".repeat(8) + "38,".repeat(8) + "40,".repeat(7) + 40,
    );
  },

  async "nearest goes by capture time"() {
    using writer = createWriter("c", spec, options);
    using reader = await openReader("c", { prefix });
    equal(reader.nearest(5n), null);
    for (const time of [10n, 20n, 30n]) writer.publish(picture(1), { captureTimeNs: time });
    writer.publish(picture(1)); // no capture time: does not count
    equal(reader.nearest(19n)?.seq, 2n);
    equal(reader.nearest(1000n)?.seq, 3n);
    equal(reader.nearest(15n)?.seq, 2n); // of two as near, the newer
  },

  async "a view says when it is overwritten, a copy refuses"() {
    using writer = createWriter("d", spec, { ...options, slots: 4 });
    using reader = await openReader("d", { prefix });
    writer.publish(picture(1));
    const frame = reader.latest();
    ok(frame);
    ok(frame.valid());
    const out = new Uint8Array(16);
    equal(frame.copy(out), out);
    throws(() => frame.copy(new Uint8Array(15)), failsWith("ENOSPC"));
    for (let i = 0; i < 4; i++) writer.publish(picture(2));
    ok(!frame.valid());
    throws(() => frame.copy(), failsWith("ESTALE"));
  },

  async "acquire, commit and abort"() {
    using writer = createWriter("e", spec, options);
    using reader = await openReader("e", { prefix });
    writer.acquire();
    throws(() => writer.acquire(), failsWith("EBUSY"));
    writer.abort();
    equal(reader.latest(), null);
    fillNoise(writer.acquire(), 9n);
    equal(writer.commit(16), 1n); // the aborted one gave its sequence to this
    equal(new DataView(reader.latest()?.copy().buffer as ArrayBuffer).getBigUint64(0, true), 9n);
    throws(() => writer.commit(16), failsWith("EINVAL"));
  },

  async "waiting ends with a frame, or with the time, and a reader follows"() {
    const writer = createWriter("f", spec, options);
    using reader = await openReader("f", { prefix });
    equal(await reader.newest({ timeoutMs: 20 }), null);
    const waiting = reader.newest({ timeoutMs: 10_000 });
    setTimeout(() => writer.publish(picture(3)), 20);
    equal((await waiting)?.array[0], 3);
    const old = reader.latest();
    ok(old);
    const next = reader.next({ timeoutMs: 10_000 });
    writer.close();
    equal(reader.state, "retired");
    using successor = createWriter("f", { ...spec, shape: [4, 4] }, options);
    successor.publish(new Uint16Array(16).fill(4));
    const frame = await next;
    equal(frame?.generation, successor.generation);
    equal(frame.shape.join(), "4,4");
    equal(old.array[0], 3); // a view keeps its own generation mapped
    equal(reader.state, "live");
  },

  async "what does not fit starts a new generation, a message is refused"() {
    using writer = createWriter("g", spec, options);
    using reader = await openReader("g", { prefix });
    const before = writer.generation;
    writer.publish(new Uint16Array(100).fill(5), { shape: [100] });
    ok(writer.generation !== before);
    equal((await reader.next({ timeoutMs: 10_000 }))?.data.byteLength, 200);
    using messages = createWriter(
      "h",
      { kind: "message", dtype: "|u1", shape: [], encoding: "msgpack" },
      options,
    );
    throws(() => messages.publish(new Uint8Array(16385)), /payloadCapacity/);
    using listener = await openReader("h", { prefix });
    messages.publish(pack({ label: "cup" }));
    equal(JSON.stringify(listener.latest()?.message), '{"label":"cup"}');
    messages.publish({ label: "jug" });
    equal(JSON.stringify(listener.latest()?.message), '{"label":"jug"}');
  },

  // Take out `whole.fields =` in wholeMeta: the message refers to nothing.
  async "a message says which frame it was computed from, and has its time"() {
    using cameraWriter = createWriter("webcam", spec, options);
    using camera = await openReader("webcam", { prefix });
    cameraWriter.publish(picture(1), { captureTimeNs: 70n, timeErrorNs: 8n, clockEpoch: 9 });
    const frame = camera.latest();
    ok(frame);
    equal(frame.refersTo, null);
    using writer = createWriter("boxes", { kind: "message" }, options);
    using reader = await openReader("boxes", { prefix });
    equal(reader.descriptor.shape.join(), "16384");
    writer.publish([1, 2], { refersTo: frame });
    const boxes = reader.latest();
    ok(boxes);
    equal(JSON.stringify([boxes.message, boxes.shape]), "[[1,2],[5]]");
    deepEqual(boxes.refersTo, {
      stream: "webcam",
      generation: frame.generation,
      sequence: 1n,
      captureTimeNs: 70n,
    });
    deepEqual([boxes.captureTimeNs, boxes.timeErrorNs, boxes.clockEpoch], [70n, 8n, 9]);
    writer.publish("text", { refersTo: boxes.refersTo, captureTimeNs: 71n });
    deepEqual(reader.latest()?.refersTo, boxes.refersTo);
    deepEqual([reader.latest()?.captureTimeNs, reader.latest()?.timeErrorNs], [71n, null]);
    writer.publish({});
    equal(reader.latest()?.refersTo, null);
    const no = {
      stream: "Web cam",
      generation: frame.generation,
      sequence: 1n,
      captureTimeNs: null,
    };
    throws(() => writer.publish({}, { refersTo: no }), failsWith("EINVAL"));
    throws(() => cameraWriter.publish(picture(2), { refersTo: frame }), failsWith("EINVAL"));
  },

  async "removed names come back, second writers and strange files are refused"() {
    using writer = createWriter("i", spec, options);
    throws(() => createWriter("i", spec, options), failsWith("EBUSY"));
    rmSync(`/dev/shm/${prefix}.i`);
    using reader = await openReader("i", { prefix, timeoutMs: 5000 }).catch(async () => {
      while (writer.publish(picture(1)) !== 1n) await Bun.sleep(20); // the keeper looks once a second
      return openReader("i", { prefix, timeoutMs: 5000 });
    });
    ok(reader.latest());
    await openReader("nothing", { prefix }).then(
      () => ok(false),
      (error) => ok(failsWith("ENOENT")(error)),
    );
    await openReader(import.meta.path).then(
      () => ok(false),
      (error) => ok(failsWith("EBADMSG")(error)),
    );
    throws(() => createWriter("NO", spec, options), failsWith("EINVAL"));
    throws(() => createWriter("j", spec, { ...options, slots: 3 }), failsWith("EINVAL"));
  },

  async "descriptors of the system stay as many over a hundred generations"() {
    using writer = createWriter("k", spec, options);
    using reader = await openReader("k", { prefix });
    const round = async () => {
      writer.renew();
      writer.publish(picture(1));
      equal((await reader.next({ timeoutMs: 10_000 }))?.seq, 1n);
    };
    await round();
    Bun.gc(true);
    const before = openFds();
    for (let i = 0; i < 100; i++) await round();
    for (let i = 0; i < 50 && openFds() > before; i++) {
      Bun.gc(true);
      await Bun.sleep(20); // finalizers let go of old rings
    }
    ok(openFds() <= before, `${openFds()} descriptors, ${before} before`);
  },

  "a ring read by pread says the same"() {
    using writer = createWriter("l", spec, options);
    const segment = openSegment(`/dev/shm/${prefix}.l`);
    equal(segment.frame(), null);
    writer.publish(picture(6), { captureTimeNs: 5n });
    const frame = segment.frame();
    equal(frame?.header.captureTimeNs, 5n);
    equal(
      new Uint16Array(frame.payload.buffer, frame.payload.byteOffset, 8).join(),
      "6,6,6,6,6,6,6,6",
    );
    equal(segment.state(), "live");
    writer.close();
    equal(segment.state(), "retired");
    ok(segment.unlinked());
    segment.close();
  },
};

console.log(`shim: ${shimOrigin}`);
let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.error(`not ok ${name}:`, error);
  }
}
const left = readdirSync("/dev/shm").filter((file) => file.includes(prefix));
if (left.length > 0 || readdirSync(directory).length > 0) {
  failed++;
  console.error("left over:", left, readdirSync(directory));
}
rmSync(directory, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
