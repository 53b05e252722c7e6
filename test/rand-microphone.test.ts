/** The sensor as the hub runs it: in a process of its own, read from here. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noise, randMicrophone } from "../sensors/rand-microphone.ts";
import { openReader } from "../src/ring.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import { createSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";

const prefix = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "streamem-"));
let supervisor: Supervisor | undefined;

afterEach(async () => {
  await supervisor?.close();
  sweepPrefix(prefix, directory);
});

async function microphone(keys: object) {
  const config = randMicrophone.config.parse({ kind: "rand-microphone", name: "mic", ...keys });
  const streams = randMicrophone.streams(config);
  supervisor = createSupervisor({
    sensors: [{ name: "mic", kind: "rand-microphone", config, streams, parts: [""] }],
    prefix,
    group: null,
    directory,
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
  await supervisor.start("mic");
  return openReader("mic", { prefix, timeoutMs: 10_000 });
}

test("the default is two channels of 48 kHz in blocks of 1024", async () => {
  const reader = await microphone({});
  expect(reader.descriptor).toMatchObject({
    kind: "audio",
    dtype: "<f4",
    shape: [2, 1024],
    dims: ["channel", "sample"],
    rate: 46.875,
    sampleRateHz: 48000,
    channels: 2,
    clock: { unit: "sample", method: "local" },
  });
  expect((await reader.next({ timeoutMs: 10_000 }))?.shape).toEqual([2, 1024]);
  reader.close();
});

// To see it fail: give tick.dueNs as capture time.
test("device time counts samples, capture time is theirs on this machine, each value is as said", async () => {
  const [rate, channels, samples] = [16_000, 3, 160];
  const reader = await microphone({
    ...{ sampleRateHz: rate, channels, frameSamples: samples },
    slots: 512, // for seconds: what is copied here must not be overwritten meanwhile
  });
  const first = await reader.next({ timeoutMs: 10_000 });
  if (first?.captureTimeNs === null || !first) throw new Error("no frame");
  for (let block = 0; block < 20; block++) {
    const frame = await reader.next({ timeoutMs: 10_000 });
    if (frame?.captureTimeNs === null || frame?.deviceTime === null || !frame) throw new Error("?");
    const sample = Number(frame.deviceTime);
    expect(sample % samples).toBe(0);
    const since = Number(frame.captureTimeNs - first.captureTimeNs) / 1e9;
    expect(since).toBeCloseTo((sample - Number(first.deviceTime)) / rate, 6);
    // A block is published when its last sample is there, not before.
    const end = frame.captureTimeNs + BigInt((samples * 1e9) / rate);
    expect(frame.publishTimeNs).toBeGreaterThanOrEqual(end);
    const values = new Float32Array(frame.copy().buffer);
    for (let i = 0; i < values.length; i++) {
      const [channel, n] = [Math.floor(i / samples), sample + (i % samples)];
      expect(values[i]).toBe(Math.fround(noise(n * channels + channel)));
    }
  }
  reader.close();
});

// To see it fail: count published blocks for the device time instead of ticks.
test("after a stop of more than its buffer, sound is lost: device time and capture time show the gap", async () => {
  // Slots for seconds: the frames on both sides of the gap must be seen, and the second's worth after it comes at once.
  const reader = await microphone({ slots: 512 });
  const first = await reader.next({ timeoutMs: 10_000 });
  const { pid } = supervisor?.get("mic") ?? {};
  process.kill(pid as number, "SIGSTOP");
  await Bun.sleep(1500); // the fault itself: longer than the second that is buffered
  process.kill(pid as number, "SIGCONT");
  let [last, gap] = [first, 0];
  while (gap <= 1024) {
    const frame = await reader.next({ timeoutMs: 10_000 });
    if (!frame || !last) throw new Error("no frame");
    // Only frames that follow each other tell of a gap of the sensor's.
    if (frame.missed === 0n) gap = Number((frame.deviceTime ?? 0n) - (last.deviceTime ?? 0n));
    last = frame;
  }
  const samples = Number((last?.deviceTime ?? 0n) - (first?.deviceTime ?? 0n));
  const seconds = Number((last?.captureTimeNs ?? 0n) - (first?.captureTimeNs ?? 0n)) / 1e9;
  expect(seconds).toBeCloseTo(samples / 48_000, 6);
  reader.close();
});

test("the noise is within -1 and 1, and its mean is nothing", () => {
  const values = Array.from({ length: 100_000 }, (_, n) => noise(n));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length)).toBeLessThan(
    0.01,
  );
});
