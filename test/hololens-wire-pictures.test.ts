// Vectors of packets that carry pictures, and of their footers, in both directions.
import { expect, test } from "bun:test";
import { inspectAccessUnit, withDelimiter } from "../sensors/hololens/wire/access-unit.ts";
import { encodeAhatPayload, splitAhat } from "../sensors/hololens/wire/ahat-payload.ts";
import {
  encodeExtendedDepthPayload,
  splitExtendedDepth,
} from "../sensors/hololens/wire/extended-depth-payload.ts";
import { parseExactly } from "../sensors/hololens/wire/grammar.ts";
import {
  decodeLongthrow,
  encodeLongthrowPayload,
  splitLongthrow,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import { encodePacket, readPacket } from "../sensors/hololens/wire/packet.ts";
import { cropNv12, padNv12, rawStride } from "../sensors/hololens/wire/raw-image.ts";
import {
  encodeVideoPayload,
  splitVideo,
  videoFooter,
} from "../sensors/hololens/wire/video-payload.ts";
import { encodeVlcPayload, splitVlc, vlcFooter } from "../sensors/hololens/wire/vlc-payload.ts";
import { framingIn, type Holds, holdPacket } from "./hololens-wire-hold.ts";
import {
  byRule,
  bytesOf,
  hexOf,
  plain,
  sha256Of,
  type Vector,
  vectorsOf,
} from "./hololens-wire-vectors.ts";

function holdVlc(one: Vector): void {
  const { payload } = holdPacket(one);
  const parts = splitVlc(payload, { profile: 3, where: one.name });
  if (!parts) throw new Error("nothing in it");
  expect(plain(parts.footer)).toEqual({ ...one.fields.footer, reserved: 0 });
  expect(hexOf(encodeVlcPayload(parts.image, parts.footer))).toBe(hexOf(payload));
  expect(inspectAccessUnit(one.fields.codec === "hevc" ? "h265" : "h264", parts.image)).toEqual({
    keyFrame: true,
    parameterSets: true,
  });
}

function holdPv(one: Vector): void {
  const { payload } = holdPacket(one);
  const parts = splitVideo(payload, one.name);
  if (!parts) throw new Error("nothing in it");
  const { width, height } = one.fields;
  expect(parts.footer).toMatchObject({ width, height });
  expect(hexOf(encodeVideoPayload(parts.image, parts.footer))).toBe(hexOf(payload));
  const codec = one.fields.codec === "hevc" ? "h265" : "h264";
  expect(inspectAccessUnit(codec, parts.image).keyFrame).toBe(true);
  if (codec === "h264") expect(withDelimiter(parts.image)).toBe(parts.image);
}

function holdAhat(one: Vector): void {
  const { payload } = holdPacket(one);
  const profiles = { depthProfile: 0, profile: 3 };
  const parts = splitAhat(payload, { ...profiles, where: one.name });
  if (!parts) throw new Error("nothing in it");
  const { sizeZ, sizeAB, sensorTicks } = one.fields;
  expect([parts.depth.byteLength, parts.ab.byteLength]).toEqual([sizeZ, sizeAB]);
  expect(String(parts.sensorTicks)).toBe(sensorTicks);
  expect(hexOf(encodeAhatPayload(parts, profiles))).toBe(hexOf(payload));
  const codec = one.fields.codec === "hevc" ? "h265" : "h264";
  expect(inspectAccessUnit(codec, parts.ab).keyFrame).toBe(true);
}

const holds: Holds = {
  "packet/rm_vlc/h264_flat_mode0": holdVlc,
  "packet/rm_vlc/hevc_flat_mode0": holdVlc,
  "packet/pv/h264_424x240_flat_mode1": holdPv,
  "packet/pv/hevc_424x240_flat_mode1": holdPv,
  "packet/rm_depth_ahat/h264_flat_mode0": holdAhat,
  "packet/rm_depth_ahat/hevc_flat_mode0": holdAhat,
  "packet/pv/raw_8x4_stride64_mode1"(one) {
    const { payload } = holdPacket(one, { profile: 255 });
    const parts = splitVideo(payload, one.name);
    if (!parts) throw new Error("nothing in it");
    const { image, footer } = parts;
    const { stride, nv12Cropped } = one.fields;
    expect(plain(footer)).toEqual(one.fields.footer);
    const shape = { width: footer.width, height: footer.height, subtype: "NV12" as const };
    expect(rawStride(image.byteLength, shape, { where: one.name })).toBe(stride);
    const cropped = new Uint8Array(8 * 6);
    cropNv12(image, { ...shape, stride }, cropped);
    expect(plain(cropped)).toEqual(nv12Cropped.flat());
    const padded = padNv12(cropped, { ...shape, stride });
    expect(padded.byteLength).toBe(image.byteLength);
    expect(hexOf(encodeVideoPayload(image, footer))).toBe(hexOf(payload));
  },

  "packet/rm_vlc/raw_640x480_mode1"(one) {
    const { timestamp, footer, pose } = one.fields;
    const image = Uint8Array.from(
      { length: 640 * 480 },
      (_, i) => (7 * i + 13 * Math.floor(i / 640)) & 255,
    );
    const values = {
      ...{ sensorTicks: BigInt(footer.sensorTicks), exposure: BigInt(footer.exposure) },
      gain: footer.gain,
    };
    const packet = {
      ...{ timestamp: BigInt(timestamp), payload: encodeVlcPayload(image, values) },
      pose: Float32Array.from(pose.flat()),
    };
    const bytes = encodePacket(packet);
    expect([bytes.byteLength, sha256Of(bytes)]).toEqual([one.bytes, one.sha256 ?? ""]);
    const parsed = parseExactly(readPacket(framingIn(one, { profile: 255 })), bytes, one.name);
    expect(parsed).toEqual(packet);
    const parts = splitVlc(parsed.payload, { profile: 255, where: one.name });
    expect(parts?.image).toEqual(image);
    expect(() => splitVlc(parsed.payload.subarray(1), { profile: 255, where: "vlc" })).toThrow(
      "307200",
    );
  },

  "packet/rm_depth_ahat/raw_512x512_mode1"(one) {
    const size = { width: 512, height: 512 };
    const depth = byRule(size, (r, c) => (5 * r + c) % 4090);
    const ab = byRule(size, (r, c) => (257 * r + 3 * c) & 65535);
    const profiles = { depthProfile: 0, profile: 255 };
    const parts = {
      ...{ depth: new Uint8Array(depth.buffer), ab: new Uint8Array(ab.buffer) },
      sensorTicks: BigInt(one.fields.sensorTicks),
    };
    const packet = {
      timestamp: BigInt(one.fields.timestamp),
      payload: encodeAhatPayload(parts, profiles),
      pose: Float32Array.from(one.fields.pose.flat()),
    };
    const bytes = encodePacket(packet);
    expect([bytes.byteLength, sha256Of(bytes)]).toEqual([one.bytes, one.sha256 ?? ""]);
    const parsed = parseExactly(readPacket(framingIn(one, profiles)), bytes, one.name);
    expect(splitAhat(parsed.payload, { ...profiles, where: one.name })).toEqual(parts);
  },

  "packet/rm_depth_longthrow/png_4x2_mode1"(one) {
    const { payload } = holdPacket(one);
    const parts = splitLongthrow(payload, one.name);
    expect(String(parts.sensorTicks)).toBe(one.fields.sensorTicks);
    const { depth, ab, width, height } = decodeLongthrow(parts.png, one.name);
    expect([width, height]).toEqual([4, 2]);
    expect([[...depth], [...ab]]).toEqual([one.fields.depth.flat(), one.fields.ab.flat()]);
    expect(hexOf(encodeLongthrowPayload(parts))).toBe(hexOf(payload));
  },

  "packet/extended_depth/raw_4x2_mode1"(one) {
    const { payload } = holdPacket(one);
    const { depth, width, height } = splitExtendedDepth(payload, {
      depthProfile: 0,
      where: one.name,
    });
    expect([width, height]).toEqual([4, 2]);
    expect([...new Uint16Array(depth.slice().buffer)]).toEqual(one.fields.depth.flat());
    expect(hexOf(encodeExtendedDepthPayload(depth, { width, height }))).toBe(hexOf(payload));
  },

  "payload/pv/footer"(one) {
    const footer = videoFooter.parse(bytesOf(one), one.name);
    expect(plain(footer)).toEqual(one.fields);
    expect(hexOf(videoFooter.encode(footer))).toBe(hexOf(bytesOf(one)));
  },

  "payload/rm_vlc/footer"(one) {
    const footer = vlcFooter.parse(bytesOf(one), one.name);
    expect(plain(footer)).toEqual(one.fields);
    expect(hexOf(vlcFooter.encode(footer))).toBe(hexOf(bytesOf(one)));
  },
};

test.each(vectorsOf("pictures").map((one) => [one.name, one] as const))("%s", async (name, one) => {
  const hold = holds[name];
  if (!hold) throw new Error(`nothing holds ${name}`);
  await hold(one);
});
