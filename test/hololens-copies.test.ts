/**
 * What JavaScript copies for each frame, of every stream: nothing of a picture's size, but for what comes
 * raw and is written into its slot once. Counted where typed arrays copy, during `take`.
 *
 * Beside it native code copies, as each file of sensors/hololens/streams/ says at its top: the coded bytes
 * into the decoder's own memory, and each pixel once into the slot (`slot` below).
 *
 * To see it fail: put a `.slice()` behind a payload's part in any receiver.
 */
import { afterEach, expect, test } from "bun:test";
import { ahatReceiving } from "../sensors/hololens/streams/ahat.ts";
import { microphoneReceiving } from "../sensors/hololens/streams/audio.ts";
import { extendedDepthReceiving } from "../sensors/hololens/streams/extended-depth.ts";
import { longthrowReceiving } from "../sensors/hololens/streams/longthrow.ts";
import { pvReceiving } from "../sensors/hololens/streams/pv.ts";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import { vlcReceiving } from "../sensors/hololens/streams/vlc.ts";
import { encodeAhatPayload } from "../sensors/hololens/wire/ahat-payload.ts";
import { encodeExtendedDepthPayload } from "../sensors/hololens/wire/extended-depth-payload.ts";
import {
  encodeLongthrow,
  encodeLongthrowPayload,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { encodeVideoPayload, videoFooter } from "../sensors/hololens/wire/video-payload.ts";
import { encodeVlcPayload } from "../sensors/hololens/wire/vlc-payload.ts";
import { encodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import { encode } from "./hololens-encodings.ts";
import { payloadOf } from "./hololens-streams-fuzz.ts";
import { StreamRig } from "./hololens-streams-rig.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { byRule } from "./hololens-wire-vectors.ts";

const rigs: StreamRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

interface TypedArrays {
  set(from: ArrayLike<number>): void;
  slice(from?: number, to?: number): Uint8Array;
  copyWithin(to: number, from: number, end?: number): Uint8Array;
}

/** Bytes that typed arrays copied while `run` ran. */
function bytesCopiedIn(run: () => void): number {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as TypedArrays;
  const { set, slice, copyWithin } = prototype;
  let bytes = 0;
  prototype.set = function (this: Uint8Array, from: ArrayLike<number>, ...at: []) {
    bytes += from.length * this.BYTES_PER_ELEMENT;
    return set.call(this, from, ...at);
  };
  prototype.slice = function (this: Uint8Array, ...range) {
    const copy = slice.call(this, ...range);
    bytes += copy.byteLength;
    return copy;
  };
  prototype.copyWithin = function (this: Uint8Array, ...range) {
    bytes += this.byteLength;
    return copyWithin.call(this, ...range);
  };
  try {
    run();
  } finally {
    Object.assign(prototype, { set, slice, copyWithin });
  }
  return bytes;
}

interface Counted {
  stream: StreamName;
  keys?: object;
  payloads: Uint8Array[];
  /** Bytes of a frame in all rings of the stream. */
  slot: number;
  /** Of these, and of what was received, copied by JavaScript. */
  copied: number;
}

/** Poses, footers, what a frame says besides its pixels. */
const smallBytes = 512;

async function hold<F extends StreamFamily>(receiving: StreamReceiving<F>, counted: Counted) {
  const rig = new StreamRig(counted);
  rigs.push(rig);
  await rig.open(receiving);
  const [first, ...rest] = counted.payloads;
  const published = rig.take(first as Uint8Array);
  expect(published.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)).toBe(counted.slot);
  rig.opened.countOnly = true;
  for (const [i, payload] of (rest.length > 0 ? rest : counted.payloads).entries()) {
    const before = rig.publishedCount;
    const copied = bytesCopiedIn(() => rig.take(payload, BigInt(i + 2)));
    expect(rig.publishedCount).toBeGreaterThan(before);
    expect(copied).toBeGreaterThanOrEqual(counted.copied);
    expect(copied).toBeLessThanOrEqual(counted.copied + smallBytes);
  }
}

const noFooter = videoFooter.parse(new Uint8Array(videoFooter.bytes), "test");
const near = { width: 512, height: 512 };
const nearBytes = 512 * 512 * 2;
const pixels = byRule(near, (row, column) => 250 + ((row + column) % 99));
const plain = new Uint8Array(pixels.buffer);
const zdepth = encodeZdepth(pixels, { ...near, frame: 1 });

test("coded pictures: nothing", async () => {
  const size = { width: 1280, height: 720 };
  const colour = await encode({ codec: "h265", ...size, frames: 3, gop: 3 });
  await hold(pvReceiving, {
    ...{ stream: "pv", slot: 1280 * 720 * 3, copied: 0 },
    payloads: colour.map((unit) => encodeVideoPayload(unit, { ...noFooter, ...size })),
  });
  const grey = await encode({ codec: "h264", width: 640, height: 480, frames: 3, gop: 3 });
  const footer = { sensorTicks: 1n, exposure: 2n, gain: 3 };
  await hold(vlcReceiving, {
    ...{ stream: "vlc-leftfront", keys: { vlc: { profile: "h264-main" } } },
    ...{ slot: 640 * 480, copied: 0 },
    payloads: grey.map((unit) => encodeVlcPayload(unit, footer)),
  });
  const flat = payloadOf("packet/rm_depth_ahat/hevc_flat_mode0");
  await hold(ahatReceiving, {
    ...{ stream: "depth-ahat", slot: 2 * nearBytes, copied: 0 },
    payloads: [flat, flat],
  });
});

test("packed depth: nothing", async () => {
  const flat = payloadOf("packet/rm_depth_ahat/hevc_flat_mode0").subarray(8, -8);
  const both = encodeAhatPayload(
    { depth: zdepth, ab: flat, sensorTicks: 1n },
    { depthProfile: 1, profile: 3 },
  );
  await hold(ahatReceiving, {
    ...{ stream: "depth-ahat", keys: { ahat: { depthProfile: "zdepth" } } },
    ...{ slot: 2 * nearBytes, copied: 0, payloads: [both] },
  });
  const far = { width: 320, height: 288 };
  const plane = byRule(far, (row, column) => row * column);
  const png = encodeLongthrow({ ...far, depth: plane, ab: plane });
  await hold(longthrowReceiving, {
    ...{ stream: "depth-longthrow", slot: 2 * 320 * 288 * 2, copied: 0 },
    payloads: [encodeLongthrowPayload({ png, sensorTicks: 1n })],
  });
  await hold(extendedDepthReceiving, {
    ...{ stream: "extended-depth", slot: nearBytes, copied: 0 },
    payloads: [encodeExtendedDepthPayload(zdepth, near)],
  });
});

test("raw colour and grey: nothing", async () => {
  const size = { width: 1280, height: 720 };
  await hold(pvReceiving, {
    ...{ stream: "pv", keys: { pv: { profile: "raw" } }, slot: 1280 * 720 * 3, copied: 0 },
    payloads: [encodeVideoPayload(noise(1280 * 720 * 1.5, 1), { ...noFooter, ...size })],
  });
  const footer = { sensorTicks: 1n, exposure: 2n, gain: 3 };
  await hold(vlcReceiving, {
    ...{ stream: "vlc-leftfront", keys: { vlc: { profile: "raw" } }, slot: 640 * 480, copied: 0 },
    payloads: [encodeVlcPayload(noise(640 * 480, 1), footer)],
  });
});

test("raw depth: once, into the slot", async () => {
  const both = encodeAhatPayload(
    { depth: plain, ab: plain, sensorTicks: 1n },
    { depthProfile: 0, profile: 255 },
  );
  await hold(ahatReceiving, {
    ...{ stream: "depth-ahat", keys: { ahat: { profile: "raw" } } },
    ...{ slot: 2 * nearBytes, copied: 2 * nearBytes, payloads: [both] },
  });
  await hold(extendedDepthReceiving, {
    ...{ stream: "extended-depth", keys: { extendedDepth: { depthProfile: "same" } } },
    ...{ slot: nearBytes, copied: nearBytes },
    payloads: [encodeExtendedDepthPayload(plain, near)],
  });
});

test("sound: once, into the slot or to where samples can begin", async () => {
  await hold(microphoneReceiving, {
    ...{ stream: "microphone", slot: 2 * 1024 * 4, copied: 2 * 1024 * 4 },
    payloads: [payloadOf("packet/microphone/aac_adts_one_frame")],
  });
  await hold(microphoneReceiving, {
    ...{ stream: "microphone", keys: { microphone: { profile: "raw" } } },
    ...{ slot: 3072, copied: 3072, payloads: [noise(3072, 1)] },
  });
});
