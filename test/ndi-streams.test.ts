/**
 * NDI with the real libndi: what lies in the rings is what was sent, in every format, whatever the size, the padding and the
 * number of channels.
 *
 * To see it fail: in sound.ts leave out the second line that sets `begin`, or take strideBytes from the width in pictures.ts.
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { bars, type Colour, grounds } from "../sensors/ndi/simulator/test-picture.ts";
import { amplitude, tonesHz } from "../sensors/ndi/simulator/tones.ts";
import { isPicture } from "../src/live/picture-preview.ts";
import type { Frame, RingReader } from "../src/ring.ts";
import { ndiFolder } from "./ndi-network.ts";
import { numberOf, numbersFrom } from "./ndi-pictures.ts";
import { NdiRig, type TestSensor } from "./ndi-sensor.ts";

const rig = new NdiRig("ndi-streams");
afterEach(() => rig.end());
afterAll(() => rig.close());

async function next(reader: RingReader): Promise<Frame> {
  const frame = await reader.next({ timeoutMs: 30_000 });
  if (!frame) throw new Error("no frame for 30 s");
  return frame;
}

/** The sender's, at 30 a second: each has its own stamp, which wavers with the sender. */
const senderFrameMs = 1000 / 30;
const pauseMs = 200;

/** The codec is lossy, and at an edge colours mix. */
const tolerance = 6;

function expectColour(found: number[], [red, green, blue]: Colour): void {
  for (const [i, part] of [blue, green, red].entries()) {
    expect(Math.abs((found[i] as number) - part)).toBeLessThanOrEqual(tolerance);
  }
}

/** Middles of the ground and of two coloured bars, as shares of width and height. */
const places = [
  { x: 0.5, y: 0.3, colour: grounds[0] as Colour },
  { x: 1.5 / 8, y: 0.85, colour: bars[1] as Colour },
  { x: 6.5 / 8, y: 0.85, colour: bars[6] as Colour },
];

/** The wandering bar is no part of it: so some frames are looked at, and most must be right. */
async function expectColours(
  reader: RingReader,
  at: (bytes: Uint8Array, pixel: number) => number[],
  sizeIn = (shape: number[]) => shape.slice(0, 2),
) {
  for (const { x, y, colour } of places) {
    for (let tried = 0; ; tried++) {
      const frame = await next(reader);
      const [height, width] = sizeIn(frame.shape) as [number, number];
      const pixel = Math.floor(y * height) * width + 2 * Math.floor((x * width) / 2);
      try {
        expectColour(at(frame.copy() as Uint8Array, pixel), colour);
        break;
      } catch (error) {
        if (tried === 20) throw error;
      }
    }
  }
}

/** By its definition, BT.709. */
function bgrOf(y: number, u: number, v: number): number[] {
  const luma = (y - 16) * (255 / 219);
  const clamp = (part: number) => Math.max(0, Math.min(255, part));
  return [
    luma + 2.1124 * (u - 128),
    luma - 0.2132 * (u - 128) - 0.5329 * (v - 128),
    luma + 1.7927 * (v - 128),
  ].map(clamp);
}

describe.skipIf(ndiFolder === null)("an NDI source", () => {
  test("its picture and its sound, with the ancestor's shapes and all fields", async () => {
    const sender = await rig.sender("One", "--size", "640x360", "--fps", "30");
    // Slots for seconds: what is copied here must not be overwritten meanwhile.
    const sensor = await rig.sensor({ source: ["ONE", "("], extraIps: "127.0.0.1", slots: 64 });
    const video = await sensor.reader();
    expect(video.descriptor).toMatchObject({
      ...{ kind: "video", dtype: "|u1", shape: [360, 640, 3], pixelFormat: "bgr24", rate: 30 },
      clock: { name: "UTC of the NDI sender", unit: "100 ns", method: "one-way" },
    });
    let before = await next(video);
    let number = numberOf(before.copy() as Uint8Array, 640);
    for (let i = 0; i < 20; i++) {
      const frame = await next(video);
      const { fields, publishTimeNs } = frame;
      expect(fields).toMatchObject({ frame_rate: [30_000, 1000], frame_format: 1 });
      expect(fields?.aspect_ratio as number).toBeCloseTo(640 / 360, 3);
      expect(fields?.timestamp).toBe(frame.deviceTime as bigint);
      expect(fields?.timecode as bigint).toBeGreaterThan(before.fields?.timecode as bigint);
      expect(fields?.arrival_time_ns as bigint).toBeLessThanOrEqual(publishTimeNs as bigint);
      const found = numberOf(frame.copy() as Uint8Array, 640);
      // More where the machine is so busy that libndi drops one.
      expect(BigInt(numbersFrom(number, found))).toBeGreaterThanOrEqual(frame.seq - before.seq);
      [before, number] = [frame, found];
    }
    await expectColours(video, (bytes, pixel) => [...bytes.subarray(3 * pixel, 3 * pixel + 3)]);
    const audio = await sensor.reader("cam.audio");
    expect(audio.descriptor).toMatchObject({
      ...{ kind: "audio", dtype: "<f4", shape: [2, 1024], sampleRateHz: 48_000, channels: 2 },
    });
    await sensor.until(({ state }) => state === "running");
    expect(sender.name).toContain("(One-");
  });

  test("sound: whatever the sender's frames are, no sample is lost or made up", async () => {
    await rig.sender(
      "One",
      "--size",
      "64x36",
      "--fps",
      "30",
      "--sound",
      "44100x1",
      "--fault",
      "padding:64",
    );
    // Slots for seconds: this process must not miss a block.
    const sizes = { frameSamples: 700, slots: 1024 };
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1", ...sizes });
    const audio = await sensor.reader("cam.audio");
    expect(audio.descriptor).toMatchObject({ shape: [1, 700], rate: 63, channels: 1 });
    let samples: number[] = [];
    let stamps: number[] = [];
    let dueMs = 0;
    while (stamps.length < 20) {
      const frame = await next(audio);
      expect(frame.missed).toBe(0n);
      const block = new Float32Array((frame.copy() as Uint8Array).buffer);
      const atMs = Number((frame.deviceTime as bigint) % 10n ** 12n) / 10_000;
      // A process that was paused has left sound out, as the stamps say: what is looked at begins after that.
      if (Math.abs(atMs - dueMs) > pauseMs) [samples, stamps] = [[], []];
      else expect(atMs).toBeGreaterThan(dueMs - senderFrameMs - 1);
      samples.push(...block);
      stamps.push(atMs);
      dueMs = atMs + block.length / 44.1;
    }
    // Of frames that were sent at once the stamps are close to each other, and never the same.
    expect(new Set(stamps).size).toBe(stamps.length);
    expectTone(samples, tonesHz[0] as number, 44_100);
  });

  // libndi itself pads rows of this width.
  test("sizes that are odd, rows that are padded", async () => {
    await rig.sender("One", "--size", "643x363", "--fps", "30", "--fault", "padding:52");
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1" });
    const video = await sensor.reader();
    expect(video.descriptor.shape).toEqual([362, 642, 3]);
    await expectColours(video, (bytes, pixel) => [...bytes.subarray(3 * pixel, 3 * pixel + 3)]);
  });

  test("bgra, uyvy422 and p216 as they come", async () => {
    await rig.sender("One", "--size", "320x180", "--fps", "30");
    const of = async (pixelFormat: string) => {
      const sensor = await rig.sensor({
        ...{ name: pixelFormat, source: "One", extraIps: "127.0.0.1", pixelFormat, audio: false },
      });
      return sensor.reader();
    };
    const bgra = await of("bgra");
    expect(bgra.descriptor).toMatchObject({ shape: [180, 320, 4], pixelFormat: "bgr0" });
    // libndi's own coefficients are coarse.
    const four = await next(bgra);
    expect(four.copy().byteLength).toBe(180 * 320 * 4);

    const uyvy = await of("uyvy422");
    expect(uyvy.descriptor).toMatchObject({ shape: [180, 320, 2], pixelFormat: "uyvy422" });
    await expectColours(uyvy, (bytes, pixel) => {
      const [u, y, v] = bytes.subarray(2 * pixel) as unknown as [number, number, number];
      return bgrOf(y, u, v);
    });

    const p216 = await of("p216");
    expect(p216.descriptor).toMatchObject({
      ...{ shape: [2, 180, 320], dtype: "<u2", pixelFormat: "p216le" },
      planes: [{ shape: [180, 320] }, { offset: 2 * 320 * 180, shape: [180, 160, 2] }],
    });
    const colourAt = (bytes: Uint8Array, pixel: number) => {
      const words = new Uint16Array(bytes.buffer);
      const [y, u, v] = [pixel, 180 * 320 + pixel, 180 * 320 + pixel + 1].map(
        (at) => (words[at] as number) / 256,
      ) as [number, number, number];
      return bgrOf(y, u, v);
    };
    await expectColours(p216, colourAt, (shape) => shape.slice(1));
    // To see it fail: take bgr0 out of src/pictures/pixels.ts.
    for (const { descriptor } of [bgra, uyvy, p216]) expect(isPicture(descriptor)).toBe(true);
  });

  test("lowest: the sender's preview; audio-only: no picture at all", async () => {
    await rig.sender("One", "--size", "1280x720", "--fps", "30");
    const preview = await rig.sensor({
      ...{ name: "small", source: "One", extraIps: "127.0.0.1", bandwidth: "lowest", audio: false },
    });
    const small = await preview.reader();
    expect((small.descriptor.shape[1] as number) < 1280).toBe(true);
    expect(small.descriptor.shape[2]).toBe(3);
    const sound = await rig.sensor({
      ...{ name: "heard", source: "One", extraIps: "127.0.0.1", bandwidth: "audio-only" },
    });
    await next(await sound.reader("heard.audio"));
    const streamsOf = async (sensor: TestSensor) =>
      (await sensor.until(({ state, streams }) => state === "running" && streams.length > 0))
        .streams;
    expect(await streamsOf(sound)).toEqual(["heard.audio"]);
    expect(await streamsOf(preview)).toEqual(["small.video"]);
  });

  test("two sensors on two sources of one machine", async () => {
    await rig.sender(["One", "Two"], "--size", "320x180", "--fps", "30");
    const readers = [];
    for (const name of ["one", "two"]) {
      const sensor = await rig.sensor({ name, source: `(${name}-`, extraIps: "127.0.0.1" });
      readers.push(await sensor.reader());
    }
    for (const [i, reader] of readers.entries()) {
      const bytes = (await next(reader)).copy() as Uint8Array;
      const at = 3 * (54 * 320 + 4); // the wandering bar has left it, or not come yet
      const colours = [bytes.subarray(at, at + 3), bytes.subarray(at + 900, at + 903)];
      const right = colours.some((colour) => isNear([...colour], grounds[i] as Colour));
      expect(right).toBe(true);
    }
  });
});

function isNear(found: number[], [red, green, blue]: Colour): boolean {
  return [blue, green, red].every((part, i) => Math.abs((found[i] as number) - part) <= tolerance);
}

/** One sine from end to end: a sample more or less would be a step in its phase. */
function expectTone(samples: number[], hz: number, sampleRateHz: number): void {
  const step = (2 * Math.PI * hz) / sampleRateHz;
  // sin(a + step) + sin(a - step) = 2 cos(step) sin(a)
  for (let i = 1; i < samples.length - 1; i++) {
    const [left, here, right] = samples.slice(i - 1, i + 2) as [number, number, number];
    expect(Math.abs(left + right - 2 * Math.cos(step) * here)).toBeLessThan(0.005);
  }
  expect(Math.max(...samples)).toBeCloseTo(amplitude, 2);
}
