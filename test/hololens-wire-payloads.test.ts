// What the vectors do not say about poses and payloads.
import { describe, expect, test } from "bun:test";
import { inspectAccessUnit, withDelimiter } from "../sensors/hololens/wire/access-unit.ts";
import { extendedAudioFormat } from "../sensors/hololens/wire/audio-payload.ts";
import { validEyeBitsOf } from "../sensors/hololens/wire/eye-tracker.ts";
import { imuSample } from "../sensors/hololens/wire/imu.ts";
import {
  poseInverse,
  poseIsValid,
  poseOf,
  poseThen,
  transformPoint,
} from "../sensors/hololens/wire/pose.ts";
import { rawStride } from "../sensors/hololens/wire/raw-image.ts";
import { viewOf } from "../sensors/hololens/wire/record.ts";
import {
  headRight,
  jointNames,
  spatialInput,
  validBitsOf,
} from "../sensors/hololens/wire/spatial-input.ts";
import { bytesOf, hexOf, vector } from "./hololens-wire-vectors.ts";

describe("poses", () => {
  const quarter = Math.SQRT1_2;
  const pose = poseOf({ rotation: [0, quarter, 0, quarter], position: [1, 2, 3] });

  test("a quarter turn about y takes -z to -x, then the position is added", () => {
    const [x, y, z] = transformPoint([0, 0, -1], pose);
    expect(x).toBeCloseTo(0, 6);
    expect(y).toBeCloseTo(2, 6);
    expect(z).toBeCloseTo(3, 6);
  });

  test("there and back is nowhere", () => {
    const identity = poseOf({ rotation: [0, 0, 0, 1], position: [0, 0, 0] });
    poseThen(pose, poseInverse(pose)).forEach((value, i) => {
      expect(value).toBeCloseTo(identity[i] as number, 6);
    });
  });

  test("valid are finite ones whose last element is 1", () => {
    expect(poseIsValid(pose)).toBe(true);
    for (const [at, value] of [
      [15, 0],
      [15, 0.5],
      [3, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
    ]) {
      expect(poseIsValid(pose.with(at as number, value as number))).toBe(false);
    }
  });
});

describe("values that are no numbers", () => {
  test("take the valid bit of their part, and of it alone", () => {
    const payload = bytesOf(vector("packet/spatial_input/both_hands")).slice(12);
    const view = viewOf(payload);
    view.setFloat32(1000 + 36 * 25 + 28, Number.NaN, true); // the right little finger's radius
    expect(validBitsOf(view)).toBe(7);
    view.setFloat32(40, Number.POSITIVE_INFINITY, true); // the gaze's origin
    expect(validBitsOf(view)).toBe(5);
    view.setInt32(64 + 32, -1, true); // an accuracy is no float, though its bits would be NaN
    expect(validBitsOf(view)).toBe(5);
  });

  test("of one eye say nothing about the other", () => {
    const payload = bytesOf(vector("packet/extended_eye_tracker/valid_rays")).slice(12, 104);
    viewOf(payload).setFloat32(28, Number.NaN, true); // the left ray's origin
    expect(validEyeBitsOf(viewOf(payload))).toBe(15 & ~4);
  });
});

test("joints have names, and the head a right side", () => {
  expect(jointNames.length).toBe(26);
  expect([jointNames[5], jointNames[10], jointNames[25]]).toEqual([
    ...["thumb-tip", "index-tip", "little-tip"],
  ]);
  const values = spatialInput.parse(
    bytesOf(vector("packet/spatial_input/both_hands")).slice(12),
    "test",
  );
  expect(headRight(values).map((x) => x + 0)).toEqual([1, 0, 0]); // of -0 and 0 too
});

test("IMU samples as NumPy would see them", () => {
  expect(imuSample.descr()).toEqual([
    ["sensorTicks", "<u8", []],
    ["socTicks", "<u8", []],
    ["xyz", "<f4", [3]],
    ["temperature", "<f4", []],
  ]);
});

test("raw images of other rows than usual", () => {
  const of = (bytes: number) =>
    rawStride(bytes, { width: 500, height: 282, subtype: "NV12" }, { where: "pv" });
  expect(of(512 * 423)).toBe(512);
  expect(of(500 * 423)).toBe(500);
  expect(of(640 * 423)).toBe(640);
  expect(() => of(512 * 423 + 1)).toThrow(
    "allowed: 216576, or rows of equal length of at least 500",
  );
  expect(() => of(499 * 423)).toThrow("pv:");
  const packed = { width: 3840, height: 2160, subtype: "YUY2" } as const;
  expect(rawStride(16588800, packed, { where: "pv" })).toBe(3840);
});

test("extended audio's formats", () => {
  expect(extendedAudioFormat({ profile: 2, level: 0x29 })).toEqual({ encoding: "aac" });
  expect(extendedAudioFormat({ profile: 255, level: 0x29 })).toEqual({
    encoding: "s16",
    channels: 2,
  });
  expect(extendedAudioFormat({ profile: 255, level: 0x80 })).toEqual({ encoding: "device" });
});

test("key frames of streams are told from what follows them", () => {
  const unit = (...types: number[]) =>
    Uint8Array.from(types.flatMap((type) => [0, 0, 1, type, 0x80]));
  expect(inspectAccessUnit("h264", unit(9, 0x41))).toEqual({
    keyFrame: false,
    parameterSets: false,
  });
  expect(inspectAccessUnit("h264", unit(9, 0x67, 0x68, 0x06, 0x65)).keyFrame).toBe(true);
  expect(inspectAccessUnit("h264", unit(0x67, 0x65)).parameterSets).toBe(false);
  expect(inspectAccessUnit("h265", unit(0x40, 0x42, 0x44, 0x26))).toEqual({
    keyFrame: true,
    parameterSets: true,
  });
  expect(inspectAccessUnit("h265", unit(0x02)).keyFrame).toBe(false);
  expect(inspectAccessUnit("h265", new Uint8Array(0)).keyFrame).toBe(false);
  expect(hexOf(withDelimiter(unit(0x65)))).toBe("0000000109100000016580");
});
