/** The sensor as the hub runs it: in a process of its own, read from here. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randCamera } from "../sensors/rand-camera.ts";
import { openReader } from "../src/ring.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import { createSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";
import { until } from "./rings.ts";

const prefix = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "streamem-"));
let supervisor: Supervisor | undefined;

afterEach(async () => {
  await supervisor?.close();
  sweepPrefix(prefix, directory);
});

async function camera(keys: object) {
  const config = randCamera.config.parse({ kind: "rand-camera", name: "cam", ...keys });
  supervisor = createSupervisor({
    sensors: [
      {
        name: "cam",
        kind: "rand-camera",
        config,
        streams: randCamera.streams(config),
        parts: [""],
      },
    ],
    prefix,
    group: null,
    directory,
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
  await supervisor.start("cam");
  return openReader("cam", { prefix, timeoutMs: 10_000 });
}

/** SplitMix64's finaliser, as native/noise.c says it; written down once more to hold that to its word. */
function mix(seed: bigint, i: bigint): bigint {
  let z = BigInt.asUintN(64, seed + i * 0x9e3779b97f4a7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

describe("rand-camera", () => {
  test("the default is 720p at 30/s", () => {
    const config = randCamera.config.parse({ kind: "rand-camera", name: "cam" });
    expect(randCamera.streams(config)).toMatchObject([
      {
        name: "cam",
        spec: {
          kind: "video",
          dtype: "|u1",
          shape: [720, 1280, 3],
          dims: ["height", "width", "channel"],
          pixelFormat: "bgr24",
          rate: 30,
        },
      },
    ]);
  });

  test("each word of each frame depends on its sequence", async () => {
    // Slots for seconds: what is copied here must not be overwritten meanwhile.
    const reader = await camera({ width: 64, height: 16, fps: 200, slots: 1024 });
    for (let n = 0; n < 20; n++) {
      const frame = await reader.next({ timeoutMs: 10_000 });
      if (!frame) throw new Error("no frame");
      const words = new BigUint64Array(frame.copy().buffer);
      expect(words.length).toBe((64 * 16 * 3) / 8);
      expect(words[0]).toBe(frame.seq);
      for (let i = 1; i < words.length; i++) expect(words[i]).toBe(mix(frame.seq, BigInt(i)));
    }
    reader.close();
  });

  test("sizes that are no multiple of anything", async () => {
    for (const [width, height] of [
      [1, 1],
      [3, 1],
      [641, 7],
    ]) {
      const reader = await camera({ width, height, fps: 100 });
      const frame = await reader.next({ timeoutMs: 10_000 });
      expect(frame?.shape).toEqual([height as number, width as number, 3]);
      expect(frame?.data.byteLength).toBe((width as number) * (height as number) * 3);
      reader.close();
      await supervisor?.close();
    }
  });

  // To see it fail: add the period to the last due time instead of counting from the start in pace().
  test("frames come at the asked rate, without drift, each with its capture time", async () => {
    const fps = 100;
    const reader = await camera({ width: 8, height: 8, fps, slots: 1024 });
    const first = await reader.next({ timeoutMs: 10_000 });
    let last = first;
    let missed = 0n;
    for (let n = 0; n < 200; n++) {
      last = await reader.next({ timeoutMs: 10_000 });
      missed += last?.missed ?? 0n;
    }
    if (!first || !last) throw new Error("no frame");
    const skipped = () => supervisor?.get("cam")?.counters.skipped ?? 0;
    const periods = Number(last.seq - first.seq);
    const seconds = Number((last.captureTimeNs ?? 0n) - (first.captureTimeNs ?? 0n)) / 1e9;
    expect(missed).toBe(0n);
    // A frame is never early; on a busy machine periods are skipped, which only makes it longer.
    expect(seconds).toBeGreaterThan((periods - 1) / fps);
    // Those that were skipped are told once a second.
    await until(() => seconds < (periods + skipped() + 50) / fps);
    expect(first.timeErrorNs).toBe(0n);
    expect(first.deviceTime).toBe(first.captureTimeNs);
    reader.close();
  });

  test("slots from the config are the ring's", async () => {
    const reader = await camera({ width: 8, height: 8, slots: 5 });
    expect(reader.descriptor.shm.slotCount).toBe(5);
    reader.close();
  });
});
