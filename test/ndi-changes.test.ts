/**
 * What a sender changes in mid-stream comes without an event: each change is a new generation of that ring alone, and
 * readers follow.
 *
 * To see it fail: leave a line out of isAsMade in pictures.ts, or `other` in sound.ts.
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { type Frame, RingError, type RingReader } from "../src/ring.ts";
import { ndiFolder } from "./ndi-network.ts";
import { NdiRig } from "./ndi-sensor.ts";
import { until } from "./rings.ts";

const rig = new NdiRig("ndi-changes");
afterEach(() => rig.end());
afterAll(() => rig.close());

/** The first frame that is as asked; the reader is the same one all the time. */
function follow(reader: RingReader, asked: (frame: Frame) => boolean) {
  return until(async () => {
    const frame = await reader.next({ timeoutMs: 200 });
    return frame && asked(frame) && copied(frame);
  });
}

/** Null where it was overwritten before this process got its turn. */
function copied(frame: Frame) {
  try {
    return { generation: frame.generation, bytes: frame.copy(), shape: frame.shape };
  } catch (error) {
    if (!(error instanceof RingError && error.code === "ESTALE")) throw error;
    return null;
  }
}

/** When its newest frame was sent, in 100 ns. */
function sentTicks(reader: RingReader): bigint | undefined {
  return reader.latest()?.fields.timestamp as bigint | undefined;
}

const isShape =
  (...shape: number[]) =>
  (frame: Frame) =>
    JSON.stringify(frame.shape) === JSON.stringify(shape);

describe.skipIf(ndiFolder === null)("in mid-stream", () => {
  test("size, alpha and rate of the picture", async () => {
    const sender = await rig.sender("One", "--size", "320x180", "--fps", "30");
    const keys = { source: "One", extraIps: "127.0.0.1", pixelFormat: "bgra" };
    const sensor = await rig.sensor(keys);
    const video = await sensor.reader();
    const first = await follow(video, isShape(180, 320, 4));
    expect(video.descriptor.pixelFormat).toBe("bgr0");

    sender.fault("size:640x360");
    const larger = await follow(video, isShape(360, 640, 4));
    sender.fault("size:160x90");
    const smaller = await follow(video, isShape(90, 160, 4));
    expect(smaller.bytes.byteLength).toBe(90 * 160 * 4);

    sender.fault("alpha");
    const clear = await follow(video, () => video.descriptor.pixelFormat === "bgra");
    // The lower half is half transparent.
    const alphas = [45, 60].map((row) => clear.bytes[4 * (row * 160 + 150) + 3] as number);
    expect(alphas.every((alpha) => Math.abs(alpha - 128) < 4)).toBe(true);
    sender.fault("opaque");
    const opaque = await follow(video, () => video.descriptor.pixelFormat === "bgr0");

    sender.fault("fps:50");
    const quicker = await follow(video, () => video.descriptor.rate === 50);
    const generations = [first, larger, smaller, clear, opaque, quicker];
    expect(new Set(generations.map(({ generation }) => generation)).size).toBe(6);
    expect(sensor.status?.restarts).toBe(0);
  });

  test("alpha makes no difference to bgr24: the ring goes on", async () => {
    const sender = await rig.sender("One", "--size", "160x90", "--fps", "30");
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1" });
    const video = await sensor.reader();
    // The darker of two points: the white bar wanders over one of them at most.
    const green = (bytes: Uint8Array) =>
      Math.min(...[4, 84].map((x) => bytes[3 * (30 * 160 + x) + 1] as number));
    const before = await follow(video, isShape(90, 160, 3));
    sender.fault("alpha");
    await Bun.sleep(500);
    const after = await follow(video, isShape(90, 160, 3));
    sender.fault("opaque");
    await Bun.sleep(500);
    const last = await follow(video, isShape(90, 160, 3));
    for (const { bytes, generation } of [after, last]) {
      expect(Math.abs(green(bytes) - green(before.bytes))).toBeLessThan(8);
      expect(generation).toBe(before.generation);
    }
  });

  test("sample rate and channels of the sound; what was left of the old is not lost", async () => {
    const sender = await rig.sender("One", "--size", "64x36", "--fps", "30");
    // A prime: no number of the sender's blocks of 1600 fills it, so that there is a rest whenever the change comes.
    const frameSamples = 4001;
    const keys = { source: "One", extraIps: "127.0.0.1", frameSamples };
    const sensor = await rig.sensor(keys);
    const audio = await sensor.reader("cam.audio");
    const first = await follow(audio, isShape(2, frameSamples));
    sender.fault("sound:44100x1");
    const rest = await follow(audio, (frame) => frame.shape[1] !== frameSamples);
    expect(rest.generation).toBe(first.generation);
    expect(rest.shape[0]).toBe(2);
    const mono = await follow(audio, isShape(1, frameSamples));
    expect(mono.generation).not.toBe(first.generation);
    const rate = 44_100 / frameSamples;
    expect(audio.descriptor).toMatchObject({ sampleRateHz: 44_100, channels: 1, rate });
    sender.fault("sound:44100x6");
    await follow(audio, isShape(6, frameSamples));
    expect(sensor.status?.restarts).toBe(0);
  });

  test("metadata alone and with pictures, and no sound for a while", async () => {
    const sender = await rig.sender("One", "--size", "64x36", "--fps", "30", "--fault", "metadata");
    // A prime again: 1024 is filled by 16 blocks of 1600 to the last sample, and then nothing waits.
    const frameSamples = 1021;
    // Enough that the short frame is still there when this process gets its turn.
    const keys = { source: "One", extraIps: "127.0.0.1", frameSamples, slots: 256 };
    const sensor = await rig.sensor(keys);
    const video = await sensor.reader();
    const audio = await sensor.reader("cam.audio");
    const { generation } = await follow(audio, isShape(2, frameSamples));
    sender.fault("silent");
    // A block that was begun waits for the rest of it. More than 1/4 s apart is a gap, whenever the sender has heard us.
    await until(async () => {
      await follow(video, isShape(36, 64, 3));
      return (sentTicks(video) ?? 0n) - (sentTicks(audio) ?? 0n) > 5_000_000n;
    });
    sender.fault("go");
    await until(async () => {
      const frame = await audio.next({ timeoutMs: 200 });
      return frame && (frame.shape[1] as number) < frameSamples;
    });
    expect(await follow(audio, isShape(2, frameSamples))).toHaveProperty("generation", generation);
  });
});
