/**
 * The simulator's microphones: what was heard comes out, also over the end of a round.
 *
 * To see it fail: return `round` instead of `inOrder` in aac-loop.ts (sound is two packets early).
 */
import { expect, test } from "bun:test";
import { openAudioSource } from "../sensors/hololens/simulator/media/audio-source.ts";
import {
  application,
  mixed,
  soundOf,
  speech,
  type Voice,
} from "../sensors/hololens/simulator/media/sound.ts";
import type { Source } from "../sensors/hololens/simulator/source.ts";
import { parseAdts } from "../sensors/hololens/wire/adts.ts";
import { deinterleave } from "../sensors/hololens/wire/audio-payload.ts";
import { aacLevels, audioProfiles } from "../sensors/hololens/wire/codes.ts";
import type { Configurations } from "../sensors/hololens/wire/configuration.ts";
import { packMixer, packRawAudio } from "../sensors/hololens/wire/extended-audio-codes.ts";
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";
import { psnr } from "./decoded-pictures.ts";

const rest = {
  videoFile: "",
  camera: { focus: 0, exposureTime: 0n, isoSpeed: 0, whiteBalance: 0 },
};
const { raw, ...aacProfiles } = audioProfiles;
const bitrates = [96_000, 128_000, 160_000, 192_000];

function microphone(profile: number, level: number = aacLevels.L2) {
  return openAudioSource({ stream: "microphone", configuration: { profile, level }, ...rest });
}

function extended(given: Partial<Configurations["extended-audio"]>) {
  const usual = { mixerMode: 2, loopbackGain: 1, microphoneGain: 1, profile: raw, level: 0 };
  const configuration = { ...usual, ...given };
  return openAudioSource({ stream: "extended-audio", configuration, ...rest });
}

async function take(source: Source, first: number, count: number): Promise<Uint8Array[]> {
  const payloads = [];
  for (let index = first; index < first + count; index++) {
    payloads.push((await source.payload({ index, ticks: 0n, seconds: 0 })) as Uint8Array);
  }
  source.close();
  return payloads;
}

/** Planar, 2 x 1024 each packet, from the first one on. */
async function decode(packets: readonly Uint8Array[]): Promise<Float32Array[]> {
  const ffmpeg = await loadFfmpeg();
  const decoder = ffmpeg.Codec.findDecoder(ffmpeg.constants.AV_CODEC_ID_AAC);
  if (!decoder) throw new Error("no AAC decoder");
  const context = new ffmpeg.CodecContext();
  context.allocContext3(decoder);
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(decoder), "decoder");
  const packet = new ffmpeg.Packet();
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const blocks = packets.map((bytes, i) => {
    packet.alloc();
    packet.data = Buffer.from(bytes);
    ffmpeg.FFmpegError.throwIfError(context.sendPacketSync(packet), `packet ${i}`);
    packet.free();
    ffmpeg.FFmpegError.throwIfError(context.receiveFrameSync(frame), `sound of packet ${i}`);
    expect([frame.nbSamples, frame.sampleRate, frame.channels]).toEqual([1024, 48_000, 2]);
    const [left, right] = frame.data as [Buffer, Buffer];
    return new Float32Array(
      Uint8Array.from([...left.subarray(0, 4096), ...right.subarray(0, 4096)]).buffer,
    );
  });
  frame.free();
  context.freeContext();
  return blocks;
}

/** Of a stretch that begins with silence behind it: its first block is only half there. */
function expectVoice(blocks: Float32Array[], voice: Voice, firstPacket: number) {
  const heard: number[] = [];
  const said: number[] = [];
  for (const [i, block] of blocks.entries()) {
    if (i === 0) continue;
    const stretch = { firstFrame: (firstPacket + i) * 1024, frames: 1024, channels: 2 };
    heard.push(...block);
    said.push(...soundOf(voice, stretch));
  }
  expect(Math.max(...said)).toBeGreaterThan(0.1);
  expect(psnr(heard, said, 1)).toBeGreaterThan(40);
}

test.each(Object.entries(aacProfiles))(
  "%s decodes to the voice, over the end of a round",
  async (_, profile) => {
    for (const [first, count] of [
      [20, 60],
      [350, 60],
    ] as const) {
      const packets = await take(await microphone(profile), first, count);
      for (const packet of packets) {
        expect(parseAdts(packet, "AAC")).toMatchObject({
          sampleRateHz: 48_000,
          channels: 2,
          objectType: 2,
        });
      }
      expectVoice(await decode(packets), speech, first);
    }
    const source = await microphone(profile);
    expect(source.periodSeconds).toBe(1024 / 48_000);
    const bytes = (await take(source, 0, 375)).reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeLessThan((bitrates[profile] as number) + 375 * 7 + 5000); // 8 seconds
  },
);

test("the HE levels are plain AAC", async () => {
  const [he] = await take(await microphone(audioProfiles["aac-96k"], aacLevels["HE-v2-L2"]), 5, 1);
  const [plain] = await take(await microphone(audioProfiles["aac-96k"]), 5, 1);
  expect(he).toEqual(plain as Uint8Array);
});

test("raw: stereo, and the five microphones, each a little later", async () => {
  const stereo = await microphone(raw);
  expect(stereo.periodSeconds).toBe(0.016);
  const [second] = await take(stereo, 101, 1);
  const planar = new Int16Array(2 * 768);
  deinterleave(new Int16Array(second?.slice().buffer as ArrayBuffer), 2, planar);
  const said = soundOf(speech, { firstFrame: 101 * 768, frames: 768, channels: 2 });
  for (let i = 0; i < said.length; i += 97) {
    expect((planar[i] ?? 0) / 32767).toBeCloseTo(said[i] as number, 4);
  }

  const [array] = await take(await microphone(raw, aacLevels.L5), 101, 1);
  const five = new Float32Array(5 * 768);
  deinterleave(new Float32Array(array?.slice().buffer as ArrayBuffer), 5, five);
  expect(five.subarray(0, 2 * 768)).toEqual(said);
  expect(five[4 * 768 + 48]).toBeCloseTo(five[0] as number, 5);
});

test("extended audio mixes what is asked for, as loud as asked", async () => {
  const mode = (mode: number) => packMixer({ mode, device: null, source: 0, format: 0 });
  const left = async (given: Partial<Configurations["extended-audio"]>) => {
    const [bytes] = await take(await extended(given), 101, 1);
    const samples = new Int16Array(bytes?.slice().buffer as ArrayBuffer);
    return Array.from(
      samples.filter((_, i) => i % 2 === 0),
      (value) => value / 32767,
    );
  };
  const said = (voice: Voice) =>
    soundOf(voice, { firstFrame: 101 * 768, frames: 768, channels: 1 });
  expect(psnr(await left({ mixerMode: mode(0) }), said(speech), 1)).toBeGreaterThan(80);
  expect(
    psnr(
      await left({ mixerMode: mode(1), loopbackGain: 0.5 }),
      said((s) => application(s) / 2),
      1,
    ),
  ).toBeGreaterThan(80);
  const both = mixed([
    { voice: speech, gain: 5 },
    { voice: application, gain: 1 },
  ]);
  expect(
    psnr(await left({ mixerMode: mode(2), microphoneGain: 9 }), said(both), 1),
  ).toBeGreaterThan(80);
  expect(await left({ microphoneGain: Number.NaN, loopbackGain: -1 })).toEqual(Array(768).fill(0));
});

test("extended audio as AAC, and as the device's own bytes", async () => {
  const packets = await take(
    await extended({ profile: audioProfiles["aac-192k"], level: aacLevels.L2, loopbackGain: 0 }),
    20,
    40,
  );
  expectVoice(await decode(packets), speech, 20);

  const level = packRawAudio({
    category: 0,
    shared: false,
    rawCapture: false,
    disableEffect: false,
    passthrough: true,
  });
  for (const [format, bytes] of [
    [0, 4],
    [1, 8],
  ] as const) {
    const mixerMode = packMixer({ mode: 0, device: 0, source: 0, format });
    const [payload] = await take(await extended({ mixerMode, level }), 0, 1);
    expect(payload?.byteLength).toBe(768 * bytes);
  }
});
