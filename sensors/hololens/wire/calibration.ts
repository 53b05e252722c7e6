/**
 * Single transfers of mode 2: floats without any header, then the end of the connection.
 *
 * `uv2x`, `uv2y`: for each pixel of the image the point of the plane at z = 1 that it sees; 0, 0 where
 * there is none. `undistortX`, `undistortY`: for each pixel of the undistorted image the column and row of
 * the image to take it from; -1, -1 where there is none. `extrinsics`: rig node to sensor
 * (p_sensor = p_rig · E). `intrinsics`: fx, fy, cx, cy of the undistorted image.
 */
import { ahatSide } from "./ahat-payload.ts";
import { longthrowHeight, longthrowWidth } from "./longthrow-payload.ts";
import type { StreamName } from "./ports.ts";
import { poseOf, poseThen, type Quaternion, type Vector } from "./pose.ts";
import { f32, floats, record, type Values } from "./record.ts";
import { vlcHeight, vlcWidth } from "./vlc-payload.ts";

const matrix = floats(16);
const four = floats(4);

const vlcPlane = floats(vlcWidth * vlcHeight);
export const vlcCalibration = record({
  uv2x: vlcPlane,
  uv2y: vlcPlane,
  extrinsics: matrix,
  undistortX: vlcPlane,
  undistortY: vlcPlane,
  intrinsics: four,
});

const ahatPlane = floats(ahatSide * ahatSide);
export const ahatCalibration = record({
  uv2x: ahatPlane,
  uv2y: ahatPlane,
  extrinsics: matrix,
  /** Metres = depth / scale. */
  scale: f32,
  /** Depths repeat after so many units. */
  alias: f32,
  undistortX: ahatPlane,
  undistortY: ahatPlane,
  intrinsics: four,
});

const longthrowPlane = floats(longthrowWidth * longthrowHeight);
export const longthrowCalibration = record({
  uv2x: longthrowPlane,
  uv2y: longthrowPlane,
  extrinsics: matrix,
  /** Metres = depth / scale. */
  scale: f32,
  undistortX: longthrowPlane,
  undistortY: longthrowPlane,
  intrinsics: four,
});

/** Accelerometer and gyroscope. */
export const imuCalibration = record({ extrinsics: matrix });

/** Of the focus at this moment: each packet's footer has its own focal length and principal point. */
export const pvCalibration = record({
  focalLength: floats(2),
  principalPoint: floats(2),
  /** k1, k2, k3. */
  radialDistortion: floats(3),
  /** p1, p2. */
  tangentialDistortion: floats(2),
  /** Undistorted projection. */
  projection: matrix,
  extrinsics: matrix,
  /** As Media Foundation says them: fx, fy, cx, cy. */
  mediaIntrinsics: four,
  /** Position, then quaternion x, y, z, w: `extrinsics` is made of these. */
  mediaExtrinsics: floats(7),
});

export type VlcCalibration = Values<typeof vlcCalibration>;
export type AhatCalibration = Values<typeof ahatCalibration>;
export type LongthrowCalibration = Values<typeof longthrowCalibration>;
export type ImuCalibration = Values<typeof imuCalibration>;
export type PvCalibration = Values<typeof pvCalibration>;

/** Streams that have one. The magnetometer is asked in vain: the server closes without a byte. */
export const calibrations = {
  "vlc-leftfront": vlcCalibration,
  "vlc-leftleft": vlcCalibration,
  "vlc-rightfront": vlcCalibration,
  "vlc-rightright": vlcCalibration,
  "depth-ahat": ahatCalibration,
  "depth-longthrow": longthrowCalibration,
  accelerometer: imuCalibration,
  gyroscope: imuCalibration,
  pv: pvCalibration,
} as const satisfies Partial<Record<StreamName, object>>;

/** 4x4 for row vectors, of the undistorted image. */
export function intrinsicsMatrix([fx, fy, cx, cy]: ArrayLike<number> & Iterable<number>) {
  return intrinsics({ fx, fy, cx, cy });
}

/** The colour camera looks along -z: x is mirrored. */
export function pvIntrinsicsMatrix(
  focalLength: ArrayLike<number>,
  principalPoint: ArrayLike<number>,
): Float32Array {
  return intrinsics({
    fx: -(focalLength[0] ?? 0),
    fy: focalLength[1],
    cx: principalPoint[0],
    cy: principalPoint[1],
  });
}

function intrinsics({ fx = 0, fy = 0, cx = 0, cy = 0 }: Partial<Record<string, number>>) {
  return Float32Array.of(fx, 0, 0, 0, 0, fy, 0, 0, cx, cy, 1, 0, 0, 0, 0, 1);
}

/** Rig node to camera, from where the camera is: back by its position, then by its rotation. */
export function extrinsicsOf({ position, rotation }: { position: Vector; rotation: Quaternion }) {
  const [x, y, z] = position;
  const [qx, qy, qz, qw] = rotation;
  return poseThen(
    poseOf({ rotation: [0, 0, 0, 1], position: [-x, -y, -z] }),
    poseOf({ rotation: [-qx, -qy, -qz, qw], position: [0, 0, 0] }),
  );
}
