/**
 * What comes out of the decoders, in the rings: the coded vectors, and encodings of our own whose every
 * pixel is held to the pictures they were made from or to another way of decoding them.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { extendedVideoReceiving } from "../sensors/hololens/streams/extended-video.ts";
import { pvReceiving } from "../sensors/hololens/streams/pv.ts";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import { vlcReceiving } from "../sensors/hololens/streams/vlc.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { padNv12 } from "../sensors/hololens/wire/raw-image.ts";
import { encodeVideoPayload, videoFooter } from "../sensors/hololens/wire/video-payload.ts";
import { encodeVlcPayload } from "../sensors/hololens/wire/vlc-payload.ts";
import { encode, waves } from "./hololens-encodings.ts";
import { StreamRig } from "./hololens-streams-rig.ts";
import { bytesOf, vector } from "./hololens-wire-vectors.ts";

let rig: StreamRig | null = null;
afterEach(() => rig?.close());

async function open<F extends StreamFamily>(
  receiving: StreamReceiving<F>,
  stream: StreamName,
  keys: object = {},
): Promise<StreamRig> {
  rig?.close();
  rig = new StreamRig({ stream, keys });
  await rig.open(receiving);
  return rig;
}

function payloadOf(name: string): Uint8Array {
  const one = vector(name);
  return bytesOf(one).subarray(12, one.hasPose ? -64 : undefined);
}

const codecs = [
  ["h264", "h264-main"],
  ["hevc", "h265-main"],
] as const;

const noFooter = videoFooter.parse(new Uint8Array(videoFooter.bytes), "test");
const framed = (image: Uint8Array, width: number, height: number) =>
  encodeVideoPayload(image, { ...noFooter, width, height, isoSpeed: 400 });
const grey = { sensorTicks: 7n, exposure: 8n, gain: 9 };

describe.each(codecs)("vectors, %s", (codec, profile) => {
  test("colour video", async () => {
    const one = vector(`packet/pv/${codec}_424x240_flat_mode1`);
    const its = await open(pvReceiving, "pv", { pv: { width: 424, height: 240, profile } });
    const pose = one.fields.pose.flat();
    const [frame] = its.take(payloadOf(one.name), 9n, Float32Array.from(pose));
    expect(frame?.shape).toEqual([240, 424, 3]);
    expect([...(frame?.bytes.subarray(0, 3) ?? [])]).toEqual(one.fields.decodedBgr24FirstPixel);
    expect(new Set(frame?.bytes).size).toBe(1);
    expect(frame?.fields).toMatchObject({ key_frame: 1, pose_valid: 1, pose });
    expect(its.context.counters).toEqual({});
  });

  test("grey camera", async () => {
    const one = vector(`packet/rm_vlc/${codec}_flat_mode0`);
    const its = await open(vlcReceiving, "vlc-leftfront", { vlc: { profile } });
    const [frame] = its.take(payloadOf(one.name));
    expect(frame?.shape).toEqual([480, 640]);
    expect(new Set(frame?.bytes)).toEqual(new Set([57]));
    const { sensorTicks, exposure, gain } = one.fields.footer;
    const said = { sensor_ticks: BigInt(sensorTicks), exposure: BigInt(exposure), gain };
    expect(frame?.fields).toMatchObject(said);
    expect(its.writers.get("hl.vlc-leftfront")?.descriptor.source).toMatchObject({
      quarterTurns: 1,
    });
  });
});

describe.each([
  ["h264", "h264-high"],
  ["h265", "h265-main"],
] as const)("own pictures, %s", (codec, profile) => {
  const size = { width: 640, height: 480 };

  test.each([false, true])(
    "grey: bytes stay as they are, full range stated: %p",
    async (fullRange) => {
      const pictures = Array.from({ length: 3 }, (_, i) => {
        return waves(size, i).map((value, at) => (at < 640 * 480 ? (value * 7 + at) & 255 : 128));
      });
      const units = await encode({
        ...{ codec, ...size, frames: 3, gop: 3, fullRange, lossless: true },
        picture: (i) => pictures[i] as Uint8Array,
      });
      const its = await open(vlcReceiving, "vlc-leftleft", { vlc: { profile } });
      const bgr = new StreamRig({
        stream: "vlc-leftleft",
        keys: { vlc: { profile, pixelFormat: "bgr24" } },
      });
      await bgr.open(vlcReceiving);
      for (const [i, unit] of units.entries()) {
        const payload = encodeVlcPayload(unit, grey);
        const luma = (pictures[i] as Uint8Array).subarray(0, 640 * 480);
        expect(Buffer.compare(its.take(payload, BigInt(i))[0]?.bytes as Uint8Array, luma)).toBe(0);
        const [colour] = bgr.take(payload, BigInt(i));
        expect(colour?.shape).toEqual([480, 640, 3]);
        expect(colour?.bytes.every((value, at) => value === luma[Math.floor(at / 3)])).toBe(true);
      }
      bgr.close();
    },
  );

  test("colour: every size and pixel format, and a new size is a new generation", async () => {
    for (const pixelFormat of ["bgr24", "rgb24", "gray", "nv12"] as const) {
      const its = await open(pvReceiving, "pv", { pv: { profile, pixelFormat } });
      const generations = new Set<string>();
      let ticks = 0n;
      for (const [width, height] of [
        [64, 48],
        [82, 36],
        [500, 282],
      ] as const) {
        for (const unit of await encode({ codec, width, height, frames: 2, gop: 2 })) {
          ticks += 1n;
          const [frame] = its.take(framed(unit, width, height), ticks);
          const shapes = { gray: [height, width], nv12: [(height * 3) / 2, width] };
          expect(frame?.shape).toEqual(
            pixelFormat in shapes ? shapes[pixelFormat as "gray"] : [height, width, 3],
          );
          expect(frame?.fields).toMatchObject({ iso_speed: 400 });
          generations.add(frame?.generation as string);
          // The last column and row are picture too.
          expect(Math.max(...(frame?.bytes.subarray(-3) ?? []))).toBeGreaterThan(0);
        }
      }
      expect(generations.size).toBe(3);
    }
  });

  test("a footer of another size than the picture is an error of this frame", async () => {
    const its = await open(pvReceiving, "pv", { pv: { profile } });
    const units = await encode({ codec, width: 64, height: 48, frames: 3, gop: 3 });
    const [first, second, third] = units as [Uint8Array, Uint8Array, Uint8Array];
    expect(its.take(framed(first, 64, 48), 1n).length).toBe(1);
    expect(its.tryTake(framed(second, 64, 40), 2n)).toContain("64x40, as announced");
    expect(its.take(framed(third, 64, 48), 3n).length).toBe(1);
  });
});

/** Decodes the same bytes another way: each pixel by the formulas of BT.601, limited range. */
function bgrOf(y: number, u: number, v: number): number[] {
  const [luma, blue, red] = [1.164384 * (y - 16), u - 128, v - 128];
  return [
    luma + 2.017232 * blue,
    luma - 0.391762 * blue - 0.812968 * red,
    luma + 1.596027 * red,
  ].map((value) => Math.max(0, Math.min(255, Math.round(value))));
}

test("raw colour: NV12 with long rows, YUY2 by its size, BT.601 where nothing is said", async () => {
  const [width, height] = [72, 40];
  const flat = [[150, 90, 160] as const, [60, 200, 100] as const];
  for (const [y, u, v] of flat) {
    const nv12 = new Uint8Array(width * height * 1.5).fill(y, 0, width * height);
    for (let at = width * height; at < nv12.length; at += 2) nv12.set([u, v], at);
    const its = await open(pvReceiving, "pv", { pv: { profile: "raw" } });
    for (const stride of [128, 72, 80]) {
      const padded = padNv12(nv12, { width, height, stride });
      const [frame] = its.take(framed(padded, width, height), BigInt(stride));
      const expected = bgrOf(y, u, v);
      const wrong = frame?.bytes.filter((value, at) => {
        return Math.abs(value - (expected[at % 3] as number)) > 3; // FFmpeg rounds at edges
      });
      expect([stride, wrong?.length]).toEqual([stride, 0]);
      rig?.receiver.begin();
    }
    const yuy2 = new Uint8Array(128 * height * 2);
    for (let at = 0; at < yuy2.length; at += 4) yuy2.set([y, u, y, v], at);
    const keys = { extendedVideo: { profile: "raw", pixelFormat: "gray" } };
    const extended = await open(extendedVideoReceiving, "extended-video", keys);
    const [frame] = extended.take(framed(yuy2, width, height));
    expect(frame?.shape).toEqual([height, width]);
    expect(new Set(frame?.bytes).size).toBe(1);
  }
});

test("raw colour, the vector", async () => {
  const keys = { pv: { profile: "raw", pixelFormat: "nv12" } };
  const its = await open(pvReceiving, "pv", keys);
  const one = vector("packet/pv/raw_8x4_stride64_mode1");
  const [frame] = its.take(payloadOf(one.name));
  expect(frame?.shape).toEqual([6, 8]);
  expect([...(frame?.bytes ?? [])]).toEqual(one.fields.nv12Cropped.flat());
  expect(frame?.fields).toMatchObject({ focus_state: one.fields.footer.focusState, key_frame: 1 });
});

test("raw grey", async () => {
  const its = await open(vlcReceiving, "vlc-rightfront", { vlc: { profile: "raw" } });
  const image = Uint8Array.from({ length: 640 * 480 }, (_, i) => (i * 7) & 255);
  const [frame] = its.take(encodeVlcPayload(image, grey));
  expect(Buffer.compare(frame?.bytes as Uint8Array, image)).toBe(0);
});

test("a footer alone is counted, and nothing else", async () => {
  const its = await open(pvReceiving, "pv");
  expect(its.take(framed(new Uint8Array(0), 64, 48))).toEqual([]);
  expect(its.context.counters).toEqual({ empty: 1 });
});

test("older frames than the newest are left out and counted, until a connection begins", async () => {
  const its = await open(vlcReceiving, "vlc-rightfront", { vlc: { profile: "raw" } });
  const payload = encodeVlcPayload(new Uint8Array(640 * 480), grey);
  expect(its.take(payload, 5n).length).toBe(1);
  expect(its.take(payload, 4n).length).toBe(0);
  expect(its.context.counters).toEqual({ outOfOrder: 1 });
  its.receiver.begin();
  expect(its.take(payload, 3n).length).toBe(1);
});
