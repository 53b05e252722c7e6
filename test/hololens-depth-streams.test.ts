/**
 * Depth and active brightness into two rings, in every way that they come; and what the C loops make of
 * it, held to those in JavaScript.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { ahatReceiving } from "../sensors/hololens/streams/ahat.ts";
import { extendedDepthReceiving } from "../sensors/hololens/streams/extended-depth.ts";
import { longthrowReceiving } from "../sensors/hololens/streams/longthrow.ts";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import { encodeAhatPayload } from "../sensors/hololens/wire/ahat-payload.ts";
import {
  packAhatAbNv12,
  packAhatNv12,
  unpackAhatAbLuma,
  unpackAhatAbNv12,
  unpackAhatDepth,
} from "../sensors/hololens/wire/ahat-picture.ts";
import { depthProfiles, pngFilters, videoProfiles } from "../sensors/hololens/wire/codes.ts";
import { encodeExtendedDepthPayload } from "../sensors/hololens/wire/extended-depth-payload.ts";
import {
  encodeLongthrow,
  encodeLongthrowPayload,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { decodeZdepth, encodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import { encode } from "./hololens-encodings.ts";
import { type Published, StreamRig } from "./hololens-streams-rig.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { byRule, bytesOf, vector } from "./hololens-wire-vectors.ts";

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

function payloadOf(name: string): Uint8Array {
  const one = vector(name);
  return bytesOf(one).subarray(12, one.hasPose ? -64 : undefined);
}

function pixelsOf(frame: Published | undefined): Uint16Array {
  return new Uint16Array(Uint8Array.from(frame?.bytes ?? []).buffer);
}

/** Both rings of one packet, whose times and fields are the same. */
function pairOf(published: Published[]): { depth: Uint16Array; ab: Uint16Array } {
  const [depth, ab] = published;
  expect(published.length).toBe(2);
  expect(ab?.ring).toBe(`${depth?.ring}.ab`);
  expect(ab?.deviceTime).toBe(depth?.deviceTime as bigint);
  expect(ab?.captureTimeNs).toBe(depth?.captureTimeNs as bigint);
  expect({ ...ab?.fields }).toEqual({ ...depth?.fields });
  return { depth: pixelsOf(depth), ab: pixelsOf(ab) };
}

const size = { width: 512, height: 512 };
const depth = byRule(size, (row, column) => (row < 20 ? 0 : 250 + ((row + column) % 700)));
const ab = byRule(size, (row, column) => (row * column) % 60_000);
const sensorTicks = 77n;

/** What comes back of a picture: depth in steps of 4, brightness as squares. */
function throughPicture(): { depth: Uint16Array; ab: Uint16Array } {
  const picture = packAhatNv12({ depth, ab }, size);
  const [outDepth, outAb] = [new Uint16Array(depth.length), new Uint16Array(depth.length)];
  unpackAhatDepth({ data: picture, stride: 512 }, size, outDepth);
  unpackAhatAbNv12({ data: picture.subarray(512 * 512), stride: 512 }, size, outAb);
  return { depth: outDepth, ab: outAb };
}

/** NV12 to I420. */
function planar(nv12: Uint8Array): Uint8Array {
  const [pixels, quarter] = [512 * 512, 256 * 256];
  const out = nv12.slice();
  for (let i = 0; i < quarter; i++) {
    out[pixels + i] = nv12[pixels + 2 * i] as number;
    out[pixels + quarter + i] = nv12[pixels + 2 * i + 1] as number;
  }
  return out;
}

describe("near depth", () => {
  test.each([
    ["h264", "h264-main"],
    ["hevc", "h265-main"],
  ] as const)("vector, %s", async (codec, profile) => {
    const rig = await open(ahatReceiving, "depth-ahat", { ahat: { profile } });
    const pair = pairOf(rig.take(payloadOf(`packet/rm_depth_ahat/${codec}_flat_mode0`)));
    expect(pair.depth.every((value) => value === 400)).toBe(true);
    expect(pair.ab.every((value, at) => value === (at % 4 < 2 ? 100 : 400))).toBe(true);
    expect(rig.published[0]?.fields).toMatchObject({ sensor_ticks: 77n });
  });

  test.each([
    ["h264", "h264-high"],
    ["h265", "h265-main"],
  ] as const)("depth in the picture, %s, without loss", async (codec, profile) => {
    const picture = planar(packAhatNv12({ depth, ab }, size));
    const encoding = { codec, ...size, frames: 2, gop: 2, lossless: true };
    const units = await encode({ ...encoding, picture: () => picture });
    const rig = await open(ahatReceiving, "depth-ahat", { ahat: { profile } });
    const profiles = { depthProfile: depthProfiles.same, profile: videoProfiles[profile] };
    for (const unit of units) {
      const parts = { depth: new Uint8Array(0), ab: unit, sensorTicks };
      expect(pairOf(rig.take(encodeAhatPayload(parts, profiles)))).toEqual(throughPicture());
    }
  });

  test("Zdepth, and brightness in the picture", async () => {
    const nv12 = packAhatAbNv12(ab);
    const encoding = { codec: "h265", ...size, frames: 1, gop: 1, lossless: true } as const;
    const [unit] = await encode({ ...encoding, picture: () => planar(nv12) });
    const keys = { ahat: { profile: "h265-main", depthProfile: "zdepth" } };
    const rig = await open(ahatReceiving, "depth-ahat", keys);
    const zdepth = encodeZdepth(depth, { ...size, frame: 1 });
    const parts = { depth: zdepth, ab: unit as Uint8Array, sensorTicks };
    const payload = encodeAhatPayload(parts, { depthProfile: 1, profile: 3 });
    expect(rig.receiver.standsAlone?.(payload)).toBe(true);
    const pair = pairOf(rig.take(payload));
    expect(pair.depth).toEqual(decodeZdepth(zdepth, { expected: size, where: "test" }));
    const expected = new Uint16Array(ab.length);
    unpackAhatAbLuma({ data: nv12, stride: 512 }, size, expected);
    expect(pair.ab).toEqual(expected);
  });

  test.each(["same", "zdepth"] as const)("raw, depth profile %s", async (depthProfile) => {
    const rig = await open(ahatReceiving, "depth-ahat", { ahat: { profile: "raw", depthProfile } });
    const zdepth = encodeZdepth(depth, { ...size, frame: 1 });
    const parts = {
      depth: depthProfile === "same" ? new Uint8Array(depth.buffer) : zdepth,
      ab: new Uint8Array(ab.buffer),
      sensorTicks,
    };
    const profiles = { depthProfile: depthProfiles[depthProfile], profile: videoProfiles.raw };
    const pair = pairOf(rig.take(encodeAhatPayload(parts, profiles)));
    const back = decodeZdepth(zdepth, { expected: size, where: "test" });
    expect(pair.depth).toEqual(depthProfile === "same" ? depth : back);
    expect(pair.ab).toEqual(ab);
  });

  test("a Zdepth part that does not unpack publishes neither, and the next goes on", async () => {
    const keys = { ahat: { profile: "raw", depthProfile: "zdepth" } };
    const rig = await open(ahatReceiving, "depth-ahat", keys);
    const zdepth = encodeZdepth(depth, { ...size, frame: 1 });
    const payload = (bytes: Uint8Array) =>
      encodeAhatPayload(
        { depth: bytes, ab: new Uint8Array(ab.buffer), sensorTicks },
        { depthProfile: 1, profile: 255 },
      );
    expect(rig.tryTake(payload(zdepth.with(0, 1)))).toContain("Zdepth mark 1");
    expect(rig.published).toEqual([]);
    pairOf(rig.take(payload(zdepth)));
  });

  test("nothing in it is counted, and nothing else", async () => {
    const rig = await open(ahatReceiving, "depth-ahat");
    const parts = { depth: new Uint8Array(0), ab: new Uint8Array(0), sensorTicks };
    expect(rig.take(encodeAhatPayload(parts, { depthProfile: 0, profile: 3 }))).toEqual([]);
    expect(rig.context.counters).toEqual({ empty: 1 });
  });
});

describe("far depth", () => {
  const image = {
    ...{ width: 320, height: 288 },
    depth: byRule({ width: 320, height: 288 }, (row, column) => (7 * row + 3 * column) % 4001),
    ab: byRule({ width: 320, height: 288 }, (row, column) => (row * column + 11 * row) & 65535),
  };

  test.each(Object.entries(pngFilters))("PNG filter %s", async (_, filter) => {
    const rig = await open(longthrowReceiving, "depth-longthrow");
    const png = encodeLongthrow(image, filter);
    const pair = pairOf(rig.take(encodeLongthrowPayload({ png, sensorTicks })));
    expect(pair).toEqual({ depth: image.depth, ab: image.ab });
  });

  test("a smaller image says its own shape", async () => {
    const rig = await open(longthrowReceiving, "depth-longthrow");
    const pair = pairOf(rig.take(payloadOf("packet/rm_depth_longthrow/png_4x2_mode1")));
    const { fields } = vector("packet/rm_depth_longthrow/png_4x2_mode1");
    expect([...pair.depth]).toEqual(fields.depth.flat());
    expect([...pair.ab]).toEqual(fields.ab.flat());
    expect(rig.published.map(({ shape }) => shape)).toEqual([
      [2, 4],
      [2, 4],
    ]);
  });

  test("the descriptors", async () => {
    const rig = await open(longthrowReceiving, "depth-longthrow");
    rig.take(encodeLongthrowPayload({ png: encodeLongthrow(image), sensorTicks }));
    const described = (name: string) => rig.writers.get(name)?.descriptor as object;
    expect(described("hl.depth-longthrow")).toMatchObject({
      ...{ kind: "depth", dtype: "<u2", shape: [288, 320], units: "mm", scale: 0.001, rate: 5 },
    });
    expect(described("hl.depth-longthrow.ab")).toMatchObject({
      ...{ kind: "video", shape: [288, 320], units: "active brightness" },
    });
  });
});

describe("extended depth", () => {
  test("u16 as they are, of any size", async () => {
    const keys = { extendedDepth: { depthProfile: "same" } };
    const rig = await open(extendedDepthReceiving, "extended-depth", keys);
    const [frame] = rig.take(payloadOf("packet/extended_depth/raw_4x2_mode1"));
    expect(frame?.shape).toEqual([2, 4]);
    expect([...pixelsOf(frame)]).toEqual(
      vector("packet/extended_depth/raw_4x2_mode1").fields.depth.flat(),
    );
    const other = noise(16 * 24 * 2, 1);
    const [next] = rig.take(encodeExtendedDepthPayload(other, { width: 24, height: 16 }), 2n);
    expect(next?.shape).toEqual([16, 24]);
    expect(next?.bytes).toEqual(other);
    expect(next?.generation).not.toBe(frame?.generation as string);
  });

  test("Zdepth", async () => {
    const rig = await open(extendedDepthReceiving, "extended-depth");
    for (const name of ["ramp", "holes", "far"]) {
      const one = vector(`codec/zdepth/${name}_24x16`);
      const payload = encodeExtendedDepthPayload(bytesOf(one), { width: 24, height: 16 });
      const expected = decodeZdepth(bytesOf(one), {
        expected: { width: 24, height: 16 },
        where: name,
      });
      expect(pixelsOf(rig.take(payload)[0])).toEqual(expected);
    }
    expect(new Set(rig.published.map(({ generation }) => generation)).size).toBe(1);
  });
});
