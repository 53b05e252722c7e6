/**
 * The simulator's calibrations are those of its lenses, and their parts agree with each other.
 *
 * To see it fail: take the 0.5 out of `undistortMap` in sensors/hololens/simulator/world/calibrations.ts.
 */
import { describe, expect, test } from "bun:test";
import {
  type CalibratedStream,
  calibrationBytes,
} from "../sensors/hololens/simulator/world/calibrations.ts";
import {
  cameraModels,
  project,
  pvIntrinsics,
  rayOf,
} from "../sensors/hololens/simulator/world/camera-models.ts";
import { rigExtrinsics } from "../sensors/hololens/simulator/world/rig.ts";
import {
  ahatCalibration,
  calibrations,
  extrinsicsOf,
  imuCalibration,
  longthrowCalibration,
  pvCalibration,
  pvIntrinsicsMatrix,
  vlcCalibration,
} from "../sensors/hololens/wire/calibration.ts";
import type { Quaternion, Vector } from "../sensors/hololens/wire/pose.ts";

const records = {
  "vlc-leftfront": vlcCalibration,
  "vlc-leftleft": vlcCalibration,
  "vlc-rightfront": vlcCalibration,
  "vlc-rightright": vlcCalibration,
  "depth-ahat": ahatCalibration,
  "depth-longthrow": longthrowCalibration,
} as const;
const pictures = Object.keys(records) as (keyof typeof records)[];

describe.each(pictures)("%s", (stream) => {
  const model = cameraModels[stream];
  const { width, height } = model;
  const parsed = records[stream].parse(calibrationBytes(stream), stream);
  const { uv2x, uv2y, undistortX, undistortY, intrinsics, extrinsics } = parsed;

  test("the table has each pixel's ray, and 0, 0 where there is none", () => {
    for (let pixel = 0; pixel < width * height; pixel += 41) {
      const ray = rayOf(model, pixel % width, Math.floor(pixel / width)) ?? [0, 0];
      expect(Math.abs((uv2x[pixel] ?? 9) - ray[0])).toBeLessThan(1e-6);
      expect(Math.abs((uv2y[pixel] ?? 9) - ray[1])).toBeLessThan(1e-6);
    }
  });

  test("the undistorted image shows in each pixel what the table says of where it takes it from", () => {
    const [fx = 0, fy = 0, cx = 0, cy = 0] = intrinsics;
    expect(Math.abs(fx - fy)).toBeGreaterThan(1e-6);
    let compared = 0;
    for (let at = 0; at < width * height; at += 41) {
      const [u, v] = [(undistortX[at] ?? 0) - 0.5, (undistortY[at] ?? 0) - 0.5];
      const seen: [number, number] = [((at % width) - cx) / fx, (Math.floor(at / width) - cy) / fy];
      if (undistortX[at] === -1) {
        expect(undistortY[at]).toBe(-1);
        expect(project(model, [...seen, 1])).toBeNull();
        continue;
      }
      const corner = Math.floor(v) * width + Math.floor(u);
      if (u < 0 || v < 0 || u >= width - 1 || v >= height - 1) continue;
      if ([corner, corner + 1, corner + width, corner + width + 1].some((i) => !uv2x[i])) continue;
      compared++;
      // Between four pixels the table is nearly a plane: a fiftieth of a pixel at the very edge.
      expect(Math.abs(between(uv2x, width, u, v) - seen[0]) * fx).toBeLessThan(0.02);
      expect(Math.abs(between(uv2y, width, u, v) - seen[1]) * fy).toBeLessThan(0.02);
    }
    expect(compared).toBeGreaterThan((0.5 * width * height) / 41);
  });

  test("the undistorted image holds all that the pixels see", () => {
    const [fx = 0, fy = 0, cx = 0, cy = 0] = intrinsics;
    for (const [plane, focal, centre, size] of [
      [uv2x, fx, cx, width],
      [uv2y, fy, cy, height],
    ] as const) {
      const [least, most] = [
        plane.reduce((a, b) => Math.min(a, b)),
        plane.reduce((a, b) => Math.max(a, b)),
      ];
      expect(least * focal + centre).toBeCloseTo(0, 3);
      expect(most * focal + centre).toBeCloseTo(size - 1, 3);
    }
  });

  test("extrinsics and scale", () => {
    expect(extrinsics).toEqual(rigExtrinsics[stream]);
    if ("scale" in parsed) expect(parsed.scale).toBe(1000);
    if ("alias" in parsed) expect(parsed.alias).toBe(1055);
  });
});

test.each(["accelerometer", "gyroscope"] as const)("%s: its extrinsics", (stream) => {
  const { extrinsics } = imuCalibration.parse(calibrationBytes(stream), stream);
  expect(extrinsics).toEqual(rigExtrinsics[stream]);
});

test("personal video: focal length by the size asked for, extrinsics from its place", () => {
  const parsed = pvCalibration.parse(calibrationBytes("pv", { width: 1920, height: 1080 }), "pv");
  const usual = pvIntrinsics();
  expect(parsed.focalLength[0]).toBeCloseTo(1.5 * usual.focalLength[0], 3);
  expect(parsed.focalLength[1]).toBeCloseTo(1.5 * usual.focalLength[1], 3);
  expect(parsed.principalPoint[0]).toBeCloseTo(1.5 * (usual.principalPoint[0] + 0.5) - 0.5, 3);
  expect([...parsed.mediaIntrinsics]).toEqual([...parsed.focalLength, ...parsed.principalPoint]);
  const [x, y, z, ...rotation] = [...parsed.mediaExtrinsics] as Numbers;
  const placed = extrinsicsOf({
    position: [x, y, z] as Vector,
    rotation: rotation as unknown as Quaternion,
  });
  for (let i = 0; i < 16; i++) expect(parsed.extrinsics[i]).toBeCloseTo(placed[i] as number, 6);
  const matrix = pvIntrinsicsMatrix(usual.focalLength, usual.principalPoint);
  // Half a metre right, a quarter up, two metres ahead: by the matrix and by the model.
  const [px, py, pz] = [0.5, 0.25, -2];
  const column = (i: number) =>
    px * (matrix[i] as number) + py * (matrix[4 + i] as number) + pz * (matrix[8 + i] as number);
  const pixel = project(cameraModels.pv, [px, py, pz]);
  expect(pixel?.[0]).toBeCloseTo(column(0) / column(2), 3);
  expect(pixel?.[1]).toBeCloseTo(column(1) / column(2), 3);
  expect(pixel?.[0]).toBeGreaterThan(640);
  expect(pixel?.[1]).toBeLessThan(360);
});

test("each stream that has a calibration answers with all of it", () => {
  for (const stream of Object.keys(calibrations) as CalibratedStream[]) {
    expect(calibrationBytes(stream).byteLength).toBe(calibrations[stream].bytes);
  }
});

type Numbers = [number, number, number, ...number[]];

function between(plane: Float32Array, width: number, u: number, v: number): number {
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const at = (i: number) => plane[top * width + left + i] as number;
  const upper = at(0) + (u - left) * (at(1) - at(0));
  const lower = at(width) + (u - left) * (at(width + 1) - at(width));
  return upper + (v - top) * (lower - upper);
}
