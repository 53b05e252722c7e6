// Sound into rings: the AAC vector, a tone through AAC and back, samples channel by channel.
import { afterEach, describe, expect, test } from "bun:test";
import { extendedAudioReceiving, microphoneReceiving } from "../sensors/hololens/streams/audio.ts";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import { encodeAdts } from "../sensors/hololens/wire/adts.ts";
import { encodeConfiguration } from "../sensors/hololens/wire/configuration.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";
import { StreamRig } from "./hololens-streams-rig.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { bytesOf, vector } from "./hololens-wire-vectors.ts";

const rigs: StreamRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

async function open<F extends StreamFamily>(
  receiving: StreamReceiving<F>,
  stream: StreamName,
  keys: object = {},
): Promise<StreamRig> {
  const rig = new StreamRig({ stream, keys });
  rigs.push(rig);
  await rig.open(receiving);
  return rig;
}

/** A tone, 440 Hz to the left and 880 to the right, as AAC frames with their headers. */
async function tone(frames: number): Promise<Uint8Array[]> {
  const ffmpeg = await loadFfmpeg();
  const { constants } = ffmpeg;
  const encoder = ffmpeg.Codec.findEncoder(constants.AV_CODEC_ID_AAC);
  if (!encoder) throw new Error("no encoder for AAC");
  const context = new ffmpeg.CodecContext();
  context.allocContext3(encoder);
  context.sampleRate = 48_000;
  context.sampleFormat = constants.AV_SAMPLE_FMT_FLTP;
  context.channelLayout = constants.AV_CHANNEL_LAYOUT_STEREO;
  context.bitRate = 192_000n;
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(encoder), "opening the encoder");
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const { sampleFormat: format, channelLayout } = context;
  Object.assign(frame, { nbSamples: 1024, format, channelLayout, sampleRate: 48_000 });
  ffmpeg.FFmpegError.throwIfError(frame.getBuffer(), "memory");
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const units: Uint8Array[] = [];
  for (let number = 0; number < frames; number++) {
    frame.makeWritable();
    for (const [channel, plane] of (frame.extendedData ?? []).entries()) {
      const samples = new Float32Array(plane.buffer, plane.byteOffset, 1024);
      samples.forEach((_, i) => {
        const seconds = (1024 * number + i) / 48_000;
        samples[i] = 0.5 * Math.sin(2 * Math.PI * 440 * (channel + 1) * seconds);
      });
    }
    frame.pts = BigInt(1024 * number);
    context.sendFrameSync(frame);
    while (context.receivePacketSync(packet) >= 0) {
      const data = Uint8Array.from(packet.data as Buffer);
      units.push(encodeAdts({ sampleRateHz: 48_000, channels: 2, data }));
      packet.unref();
    }
  }
  packet.free();
  frame.free();
  context.freeContext();
  return units;
}

/** How much of a frequency is in the samples: 1 for a sine of amplitude 1. */
function share(samples: Float32Array, frequencyHz: number): number {
  let [sine, cosine] = [0, 0];
  samples.forEach((value, i) => {
    const angle = (2 * Math.PI * frequencyHz * i) / 48_000;
    sine += value * Math.sin(angle);
    cosine += value * Math.cos(angle);
  });
  return (2 * Math.hypot(sine, cosine)) / samples.length;
}

describe.each([
  ["microphone", microphoneReceiving],
  ["extended-audio", extendedAudioReceiving],
] as [StreamName, StreamReceiving<"microphone">][])("%s", (stream, receiving) => {
  test("the AAC vector: 1024 samples of each channel", async () => {
    const rig = await open(receiving, stream);
    const payload = bytesOf(vector("packet/microphone/aac_adts_one_frame")).subarray(12);
    const [frame] = rig.take(payload, 5n);
    expect(frame?.shape).toEqual([2, 1024]);
    expect(frame?.bytes.byteLength).toBe(2 * 1024 * 4);
    const samples = new Float32Array(Uint8Array.from(frame?.bytes ?? []).buffer);
    expect(samples.every((value) => Math.abs(value) <= 1.1)).toBe(true);
    expect(rig.writers.get(`hl.${stream}`)?.descriptor).toMatchObject({
      ...{ kind: "audio", dtype: "<f4", shape: [2, 1024], sampleRateHz: 48_000, channels: 2 },
    });
  });

  test("a tone comes back, each channel with its own", async () => {
    const rig = await open(receiving, stream);
    const units = await tone(60);
    for (const [i, unit] of units.entries()) expect(rig.take(unit, BigInt(i)).length).toBe(1);
    const channel = (number: number) =>
      Float32Array.from(
        rig.published.slice(10, 50).flatMap(({ bytes }) => {
          const samples = new Float32Array(Uint8Array.from(bytes).buffer);
          return [...samples.subarray(1024 * number, 1024 * (number + 1))];
        }),
      );
    expect(Math.abs(share(channel(0), 440) - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(share(channel(1), 880) - 0.5)).toBeLessThan(0.02);
    expect(share(channel(0), 880)).toBeLessThan(0.01);
  });

  test("stereo samples, channel by channel, of any number", async () => {
    const keys = { microphone: { profile: "raw" }, extendedAudio: { profile: "raw" } };
    const rig = await open(receiving, stream, keys);
    for (const count of [768, 10, 20_000]) {
      const interleaved = new Int16Array(Uint8Array.from(noise(count * 4, count)).buffer);
      const odd = new Uint8Array(1 + count * 4);
      odd.set(new Uint8Array(interleaved.buffer), 1);
      const [frame] = rig.take(odd.subarray(1), BigInt(count));
      rig.receiver.begin();
      expect(frame?.shape).toEqual([2, count]);
      const planar = new Int16Array(Uint8Array.from(frame?.bytes ?? []).buffer);
      expect([...planar.subarray(0, count)]).toEqual([
        ...interleaved.filter((_, i) => i % 2 === 0),
      ]);
      expect([...planar.subarray(count)]).toEqual([...interleaved.filter((_, i) => i % 2 === 1)]);
    }
    expect(rig.tryTake(new Uint8Array(7))).toContain("multiples of 4");
  });
});

test("the five microphones", async () => {
  const keys = { microphone: { profile: "raw", array: true } };
  const rig = await open(microphoneReceiving, "microphone", keys);
  const samples = Float32Array.from(
    { length: 5 * 768 },
    (_, i) => (i % 5) + Math.floor(i / 5) / 1e3,
  );
  const [frame] = rig.take(new Uint8Array(samples.buffer));
  expect(frame?.shape).toEqual([5, 768]);
  const planar = new Float32Array(Uint8Array.from(frame?.bytes ?? []).buffer);
  expect(planar.every((value, i) => value === samples[(i % 768) * 5 + Math.floor(i / 768)])).toBe(
    true,
  );
  expect(
    encodeConfiguration("microphone", microphoneReceiving.configuration(rig.config, "microphone")),
  ).toEqual(Uint8Array.of(255, 0x2b));
});

test("passthrough: the device's bytes as they are", async () => {
  const keys = {
    extendedAudio: { profile: "raw", passthrough: true, device: 2, source: 1, format: 3 },
  };
  const rig = await open(extendedAudioReceiving, "extended-audio", keys);
  const bytes = noise(20_000, 3);
  const [frame] = rig.take(bytes);
  expect(frame?.shape).toEqual([20_000]);
  expect(frame?.bytes).toEqual(bytes);
  const asked = extendedAudioReceiving.configuration(rig.config, "extended-audio");
  const { fields } = vector("config/extended_audio/raw_passthrough_dev2_src1_fmt3");
  expect(asked.level & 0x80).toBe(0x80);
  expect(asked.mixerMode >>> 2).toBe(fields.mixerMode >>> 2);
});

test("a broken AAC frame is left out, and the next goes on", async () => {
  const rig = await open(microphoneReceiving, "microphone");
  const units = await tone(12);
  const outcomes = units.map((unit, i) => {
    const broken = i === 5 ? unit.map((byte, at) => (at < 7 ? byte : 0xff)) : unit;
    return rig.tryTake(broken, BigInt(i));
  });
  expect(outcomes[5]).toContain("AAC frame that does not decode");
  expect(outcomes.filter((one) => typeof one !== "string" && one.length === 1).length).toBe(
    units.length - 1,
  );
});

test("sound that is not as announced is an error of its frame", async () => {
  const rig = await open(microphoneReceiving, "microphone");
  const [unit] = await tone(4);
  const mono = Uint8Array.from(unit as Uint8Array);
  mono[2] = ((mono[2] as number) & ~0x3c) | (4 << 2); // 44.1 kHz
  expect(rig.tryTake(mono)).toContain("44100 Hz");
});
