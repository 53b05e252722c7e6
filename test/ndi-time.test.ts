/**
 * Times of NDI frames: the sender's own stamp, and what arrivals alone say about it.
 *
 * To see it fail: give pictures and sound a clock each (follow.ts), or leave `lagNs` out (clock.ts).
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import type { RingReader } from "../src/ring.ts";
import { ndiFolder } from "./ndi-network.ts";
import { NdiRig } from "./ndi-sensor.ts";

const rig = new NdiRig("ndi-time");
afterEach(() => rig.end());
afterAll(() => rig.close());

async function frames(reader: RingReader, count: number) {
  const taken = [];
  while (taken.length < count) {
    const frame = await reader.next({ timeoutMs: 30_000 });
    if (!frame) throw new Error("no frame for 30 s");
    const { deviceTime, captureTimeNs, timeErrorNs, clockEpoch, fields } = frame;
    const arrivalNs = fields?.arrival_time_ns as bigint;
    taken.push({
      ticks: deviceTime as bigint,
      captureNs: captureTimeNs as bigint,
      arrivalNs,
      timeErrorNs,
      clockEpoch,
    });
  }
  return taken;
}

describe.skipIf(ndiFolder === null)("an NDI source's time", () => {
  test("is its UTC, mapped one way with one clock for pictures and sound", async () => {
    await rig.sender("One", "--size", "64x36", "--fps", "30");
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1" });
    const video = await sensor.reader();
    const audio = await sensor.reader("cam.audio");
    const [pictures, blocks] = await Promise.all([frames(video, 60), frames(audio, 60)]);
    for (const stream of [pictures, blocks]) {
      for (const [i, frame] of stream.entries()) {
        expect(frame.timeErrorNs).toBeNull();
        expect(frame.clockEpoch).toBe(0);
        expect(frame.captureNs).toBeLessThanOrEqual(frame.arrivalNs);
        expect(Math.abs(Number(frame.ticks / 10_000n) - Date.now())).toBeLessThan(60_000);
        if (i === 0) continue;
        const before = stream[i - 1] as typeof frame;
        // Blocks have the stamps of the frames they came in, which waver with the sender.
        if (stream === pictures) expect(frame.ticks).toBeGreaterThan(before.ticks);
        expect(frame.captureNs).toBeGreaterThanOrEqual(before.captureNs);
      }
    }
    const { clock } = await sensor.until((status) => (status.clock?.probes ?? 0) > 60);
    expect(clock).toMatchObject({ method: "one-way", errorNs: null, epoch: 0 });
    // 30 pictures and 30 frames of sound a second.
    const seen = await video.newest({ timeoutMs: 30_000 });
    const { clock: later } = await sensor.until(
      (status) => (status.clock?.probes ?? 0) > 1.5 * Number(seen?.seq),
    );
    expect(later?.offsetNs).not.toBeNull();
  });

  test("goes on over a restart of the sender, and a configured lag is taken off", async () => {
    const first = await rig.sender("One", "--size", "64x36", "--fps", "30");
    const lagMs = { video: 120 };
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1", lagMs });
    const video = await sensor.reader();
    expect(video.descriptor.lagNs).toBe("120000000");
    const audio = await sensor.reader("cam.audio");
    expect(audio.descriptor.lagNs).toBe("0");
    const [before] = await frames(video, 1);
    await first.kill();
    await rig.sender("One", "--size", "64x36", "--fps", "30");
    for (const frame of await frames(video, 20)) {
      expect(frame.arrivalNs - frame.captureNs).toBeGreaterThanOrEqual(120_000_000n);
      expect(frame.clockEpoch).toBe(0);
      expect(frame.captureNs).toBeGreaterThan(before?.captureNs as bigint);
    }
  });
});
