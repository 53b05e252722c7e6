/** A calibration as the API offers it: numbers and their conventions as JSON, per-pixel tables beside it. */
import type { Calibration } from "../../sensor.ts";
import { calibrations, intrinsicsMatrix } from "../wire/calibration.ts";
import { streamPorts } from "../wire/ports.ts";
import { viewOf } from "../wire/record.ts";
import type { CalibratedStream } from "./fetch.ts";

type Values = Record<string, Float32Array | number>;

/** Where the numbers come from: the headset, or the cache with the time they were fetched at. */
export type Origin = { from: "device" } | { from: "cache"; fetched: Date };

const matrices = "4x4, row by row, for row vectors: [x y z 1] · M; translation is the last row";
const extrinsics =
  "rig node to sensor: p_sensor = p_rig · extrinsics. A point of the sensor is in the world at p_sensor · inverse(extrinsics) · pose, with the pose of its frame";
const tables = {
  uv2xy:
    "for column u and row v of the image: x, y of the plane at z = 1 that the centre of the pixel sees; 0, 0 where it sees none",
  undistort_map:
    "for each pixel of the undistorted image: column and row of the image to take it from, counted from its edge (the centre of the first pixel is 0.5, 0.5); -1, -1 where there is none",
};
const depth =
  "metres = depth / scale, along the ray: p_sensor = (x, y, 1) / |(x, y, 1)| · metres, with x, y of uv2xy; 0 is no depth";
const pvFrames =
  "of the focus when it was asked for; each frame's fields focal_length and principal_point are its own. The pose is the camera's, which looks along -z";

const sizes: Record<string, [height: number, width: number]> = {
  vlc: [480, 640],
  ahat: [512, 512],
  longthrow: [288, 320],
};

/** @param bytes a transfer of exactly the stream's size */
export function calibrationOf(
  stream: CalibratedStream,
  bytes: Uint8Array,
  origin: Origin,
): Calibration {
  const values = calibrations[stream].read(viewOf(bytes), 0) as Values;
  const { family } = streamPorts[stream];
  const stated =
    origin.from === "cache" ? { ...origin, fetched: origin.fetched.toISOString() } : origin;
  if (family === "pv") return { document: { ...stated, ...pvDocument(values) }, tables: {} };
  const conventions: Record<string, string> = { matrices, extrinsics };
  const document = { ...stated, extrinsics: rows(values.extrinsics), conventions };
  if (family === "imu") return { document, tables: {} };
  Object.assign(conventions, tables, {
    intrinsics:
      "of the undistorted image, whose pixel i, j sees (i - cx) / fx, (j - cy) / fy of the plane at z = 1; fx and fy may differ",
    ...(family !== "vlc" && { depth }),
    ...(family === "ahat" && { alias: "depths repeat after so many units" }),
  });
  return {
    document: {
      ...document,
      intrinsics: intrinsics(values.intrinsics),
      ...(values.scale !== undefined && { scale: values.scale }),
      ...(values.alias !== undefined && { alias: values.alias }),
    },
    tables: {
      uv2xy: table(sizes[family], values.uv2x, values.uv2y),
      undistort_map: table(sizes[family], values.undistortX, values.undistortY),
    },
  };
}

function pvDocument(values: Values) {
  const [k1, k2, k3] = numbers(values.radialDistortion);
  const [p1, p2] = numbers(values.tangentialDistortion);
  return {
    focalLength: numbers(values.focalLength),
    principalPoint: numbers(values.principalPoint),
    distortion: { k1, k2, k3, p1, p2 },
    projection: rows(values.projection),
    extrinsics: rows(values.extrinsics),
    mediaFoundation: {
      intrinsics: intrinsics(values.mediaIntrinsics),
      position: numbers(values.mediaExtrinsics).slice(0, 3),
      rotation: numbers(values.mediaExtrinsics).slice(3),
    },
    conventions: { matrices, extrinsics, intrinsics: pvFrames, rotation: "quaternion x, y, z, w" },
  };
}

function intrinsics(given: Values[string] | undefined) {
  const [fx, fy, cx, cy] = numbers(given);
  return { fx, fy, cx, cy, matrix: rows(intrinsicsMatrix(numbers(given))) };
}

/** JSON has no NaN: what is no number is null. */
function numbers(given: Values[string] | undefined): number[] {
  return [...(given as Float32Array)];
}

function rows(given: Values[string] | undefined): number[][] {
  const all = numbers(given);
  return [0, 4, 8, 12].map((at) => all.slice(at, at + 4));
}

/** Two planes as one table whose last axis is x, y. */
function table(
  [height, width]: [number, number] = [0, 0],
  x: Values[string] | undefined,
  y: Values[string] | undefined,
): Calibration["tables"][string] {
  const [xs, ys] = [x as Float32Array, y as Float32Array];
  const pairs = new Float32Array(2 * width * height);
  for (let i = 0; i < width * height; i++) {
    pairs[2 * i] = xs[i] as number;
    pairs[2 * i + 1] = ys[i] as number;
  }
  return { dtype: "<f4", shape: [height, width, 2], data: new Uint8Array(pairs.buffer) };
}
