// Packets of every stream, damaged: 20,000 mutants each, and each seed cut at every byte.
import { describe, expect, test } from "bun:test";
import { inspectAccessUnit } from "../sensors/hololens/wire/access-unit.ts";
import { encodeAdts, parseAdts } from "../sensors/hololens/wire/adts.ts";
import { encodeAhatPayload, splitAhat } from "../sensors/hololens/wire/ahat-payload.ts";
import { microphoneFormat, parseSamples } from "../sensors/hololens/wire/audio-payload.ts";
import type { Configurations } from "../sensors/hololens/wire/configuration.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { splitExtendedDepth } from "../sensors/hololens/wire/extended-depth-payload.ts";
import { eyeTrackerReading, validEyeBitsOf } from "../sensors/hololens/wire/eye-tracker.ts";
import { framingOf } from "../sensors/hololens/wire/framing.ts";
import { parseImu, spreadSocTicks } from "../sensors/hololens/wire/imu.ts";
import {
  decodeLongthrow,
  encodeLongthrow,
  encodeLongthrowPayload,
  splitLongthrow,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import { encodePacket, readPacket } from "../sensors/hololens/wire/packet.ts";
import type { StreamFamily } from "../sensors/hololens/wire/ports.ts";
import { poseIsValid } from "../sensors/hololens/wire/pose.ts";
import { rawStride } from "../sensors/hololens/wire/raw-image.ts";
import { viewOf } from "../sensors/hololens/wire/record.ts";
import { spatialInput, validBitsOf } from "../sensors/hololens/wire/spatial-input.ts";
import { splitVideo } from "../sensors/hololens/wire/video-payload.ts";
import { encodeVlcPayload, splitVlc } from "../sensors/hololens/wire/vlc-payload.ts";
import { decodeZdepth, encodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import { createMutator, fuzz, noise, readBounded, tryParse } from "./hololens-wire-fuzz.ts";
import { bytesOf, vector, vectorsOf } from "./hololens-wire-vectors.ts";

const mutants = 20_000;
const where = "fuzz";

interface Stream {
  family: StreamFamily;
  configuration: object;
  payloads: Uint8Array[];
  /** Everything a client does with a payload before a decoder sees it. */
  parse(payload: Uint8Array): unknown;
  /** The parser never refuses: framing alone does. */
  takesAll?: true;
}

function payloadOf(name: string): Uint8Array {
  const one = vector(name);
  return bytesOf(one).subarray(12, one.hasPose ? -64 : undefined);
}

function smallZdepth(): Uint8Array {
  const depth = Uint16Array.from({ length: 64 * 40 }, (_, i) =>
    i % 11 === 0 ? 0 : 300 + (i % 64),
  );
  return encodeZdepth(depth, { width: 64, height: 40, frame: 1 });
}

function noisyPng(): Uint8Array {
  const [depth, ab] = [1, 2].map((seed) => new Uint16Array(noise(8 * 6 * 2, seed).buffer));
  return encodeLongthrow(
    { width: 8, height: 6, depth: depth as Uint16Array, ab: ab as Uint16Array },
    6,
  );
}

/** The checksums of chunks set right again, or no mutant would ever reach what lies behind them. */
function withChecksums(png: Uint8Array): Uint8Array {
  const copy = png.slice();
  const view = viewOf(copy);
  for (let at = 8; at + 12 <= copy.length; ) {
    const end = at + 12 + view.getUint32(at);
    if (end > copy.length) break;
    view.setUint32(end - 4, Bun.hash.crc32(copy.subarray(at + 4, end - 4)));
    at = end;
  }
  return copy;
}

const footer = { sensorTicks: 1n, exposure: 2n, gain: 3 };
const ahat = { depthProfile: 1, profile: 3 };
const ahatParts = { depth: smallZdepth(), ab: noise(300, 4), sensorTicks: 5n };

const streams: Record<string, Stream> = {
  "grey camera": {
    family: "vlc",
    configuration: { mode: 1 },
    payloads: [payloadOf("packet/rm_vlc/h264_flat_mode0"), encodeVlcPayload(noise(50, 1), footer)],
    parse(payload) {
      const parts = splitVlc(payload, { profile: 3, where });
      if (parts) inspectAccessUnit("h264", parts.image);
    },
  },
  "near depth": {
    family: "ahat",
    configuration: { mode: 1, ...ahat },
    payloads: [encodeAhatPayload(ahatParts, ahat)],
    parse(payload) {
      const parts = splitAhat(payload, { ...ahat, where });
      if (!parts) return;
      inspectAccessUnit("h265", parts.ab);
      decodeZdepth(parts.depth, { expected: { width: 64, height: 40 }, where });
    },
  },
  "near depth, one picture": {
    family: "ahat",
    configuration: { mode: 0 },
    payloads: [payloadOf("packet/rm_depth_ahat/hevc_flat_mode0")],
    parse: (payload) => splitAhat(payload, { depthProfile: 0, profile: 3, where }),
  },
  "far depth": {
    family: "longthrow",
    configuration: { mode: 1 },
    payloads: [
      payloadOf("packet/rm_depth_longthrow/png_4x2_mode1"),
      encodeLongthrowPayload({ png: noisyPng(), sensorTicks: 1n }),
    ],
    parse(payload) {
      const { png } = splitLongthrow(payload, where);
      decodeLongthrow(png[1] === 0x50 ? withChecksums(png) : png, where);
    },
  },
  accelerometer: {
    family: "imu",
    configuration: { mode: 1 },
    payloads: [payloadOf("packet/rm_imu/equal_soc_patched_mode1"), noise(32 * 5, 2)],
    parse(payload) {
      const copy = payload.slice();
      spreadSocTicks(copy);
      parseImu(copy);
    },
    takesAll: true,
  },
  "colour video": {
    family: "pv",
    configuration: { mode: 1 },
    payloads: [
      payloadOf("packet/pv/raw_8x4_stride64_mode1"),
      payloadOf("packet/pv/hevc_424x240_flat_mode1"),
    ],
    parse(payload) {
      const parts = splitVideo(payload, where);
      if (!parts) return;
      inspectAccessUnit("h265", parts.image);
      const { width, height } = parts.footer;
      rawStride(parts.image.byteLength, { width, height, subtype: "NV12" }, { where });
    },
  },
  "microphone, AAC": {
    family: "microphone",
    configuration: {},
    payloads: [
      payloadOf("packet/microphone/aac_adts_one_frame"),
      encodeAdts({ sampleRateHz: 44100, channels: 1, data: noise(60, 3) }),
    ],
    parse: (payload) => parseAdts(payload, where),
  },
  "microphone, samples": {
    family: "microphone",
    configuration: { profile: 255, level: 0x2b },
    payloads: [payloadOf("packet/microphone/raw_array5_f32"), noise(400, 5)],
    parse(payload) {
      const format = microphoneFormat({ profile: 255, level: 0x2b });
      if (!("channels" in format)) throw new Error("a format without channels");
      parseSamples(payload, format, where);
    },
  },
  "spatial input": {
    family: "spatial-input",
    configuration: {},
    payloads: [payloadOf("packet/spatial_input/both_hands")],
    parse(payload) {
      spatialInput.parse(payload, where);
      expect(validBitsOf(viewOf(payload)) & ~viewOf(payload).getUint32(0, true)).toBe(0);
    },
  },
  "eye tracker": {
    family: "eye-tracker",
    configuration: {},
    payloads: [payloadOf("packet/extended_eye_tracker/valid_rays")],
    parse(payload) {
      eyeTrackerReading.parse(payload, where);
      validEyeBitsOf(viewOf(payload));
    },
  },
  "extended depth": {
    family: "extended-depth",
    configuration: { mode: 1 },
    payloads: [payloadOf("packet/extended_depth/raw_4x2_mode1")],
    parse: (payload) => splitExtendedDepth(payload, { depthProfile: 0, where }),
  },
  "extended depth, Zdepth": {
    family: "extended-depth",
    configuration: { mode: 1 },
    payloads: [Uint8Array.from([...smallZdepth(), 64, 0, 40, 0])],
    parse(payload) {
      const { depth, width, height } = splitExtendedDepth(payload, { depthProfile: 1, where });
      // Sizes other than the header's are refused before memory is taken for them.
      decodeZdepth(depth, { expected: { width, height }, where });
    },
  },
};

describe.each(Object.entries(streams))("%s", (_, stream) => {
  const { family, payloads, parse } = stream;
  const configuration = configurationOf(family, stream.configuration) as Configurations["pv"];
  const framing = framingOf(family, configuration);
  const pose = framing.pose
    ? Float32Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))
    : null;
  const packet = (payload: Uint8Array) => encodePacket({ timestamp: 9n, payload, pose });
  const read = (bytes: Uint8Array) => {
    const { payload, pose } = readBounded(() => readPacket(framing), bytes, framing.largest + 64);
    if (pose) poseIsValid(pose);
    parse(payload);
  };

  test("mutants of packets", () => {
    const counts = fuzz(read, {
      seeds: payloads.map(packet),
      mutants: mutants / 2,
      mutate: createMutator(1),
    });
    expect(counts.accepted).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });

  test("mutants of payloads, framed as they are", () => {
    const mutate = createMutator(2);
    const reframed = (bytes: Uint8Array) => packet(mutate(bytes));
    const counts = fuzz(read, { seeds: payloads, mutants: mutants / 2, mutate: reframed });
    expect(counts.accepted).toBeGreaterThan(0);
  });

  test("cut at every byte", () => {
    for (const payload of payloads) {
      const whole = packet(payload);
      const counts = { accepted: 0, refused: 0 };
      for (let cut = 0; cut < whole.byteLength; cut++)
        tryParse(read, whole.subarray(0, cut), counts);
      expect(counts).toEqual({ accepted: 0, refused: whole.byteLength });
      for (let cut = 0; cut < payload.byteLength; cut++) {
        tryParse(read, packet(payload.subarray(0, cut)), counts);
      }
      expect(counts.accepted + counts.refused).toBe(whole.byteLength + payload.byteLength);
    }
  });
});

const zdepthSeeds = vectorsOf("codecs")
  .filter(({ name }) => name.includes("zdepth"))
  .map(bytesOf);

test("mutants of Zdepth's own parts, packed again", () => {
  const size = { width: 24, height: 16 };
  const mutate = createMutator(3);
  const [list, zstd] = [new Uint8Array(400), (bytes: Uint8Array) => Bun.zstdCompressSync(bytes)];
  const repacked = (seed: Uint8Array) => {
    const parts: Uint8Array[] = [];
    for (let i = 0, at = 40; i < 4; i++) {
      const bytes = viewOf(seed).getUint32(12 + 8 * i, true);
      parts.push(Uint8Array.from(Bun.zstdDecompressSync(seed.slice(at, at + bytes))));
      at += bytes;
    }
    // The lists, of which each 3 bytes are two codes, may end sooner, the maps only be wrong.
    const changed = parts.map((part, i) => {
      const mutant = mutate(part);
      if (i >= 2) return mutant.slice(0, mutant.length - (mutant.length % 3));
      return Uint8Array.from([...mutant, ...list].slice(0, part.length));
    });
    const packed = changed.map(zstd);
    const header = seed.slice(0, 40);
    changed.forEach((part, i) => {
      viewOf(header).setUint32(8 + 8 * i, part.length, true);
      viewOf(header).setUint32(12 + 8 * i, packed[i]?.length ?? 0, true);
    });
    return Uint8Array.from([header, ...packed].flatMap((part) => [...part]));
  };
  const decode = (bytes: Uint8Array) => decodeZdepth(bytes, { expected: size, where });
  const counts = fuzz(decode, { seeds: zdepthSeeds, mutants, mutate: repacked });
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(mutants / 20);
});
