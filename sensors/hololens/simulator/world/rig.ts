/**
 * Where the simulated headset's sensors are. The rig node is the left front grey camera, whose picture lies
 * on its side: x is down, y is left, z is forward for whoever wears the headset.
 *
 * Measured: the saved calibration of one HoloLens 2 that is published with the hl2ss reference client,
 * rounded to 0.00001 (quaternions, 0.01 degrees) and 0.1 mm. Derived: that calibration lacks them. Lengths
 * and angles of these are plausible and no more.
 */
import { extrinsicsOf } from "../../wire/calibration.ts";
import type { StreamName } from "../../wire/ports.ts";
import { poseOf, type Quaternion, type Vector } from "../../wire/pose.ts";

/** Rig node to sensor, as the wire has it: 4x4 for row vectors, p_sensor = p_rig · E. */
function measured(rotation: Quaternion, translation: Vector): Float32Array {
  return poseOf({ rotation: unit(rotation), position: translation });
}

/** By where the sensor is in the rig, and how it is turned there. */
function derived(rotation: Quaternion, position: Vector): Float32Array {
  return extrinsicsOf({ rotation: unit(rotation), position });
}

function unit(rotation: Quaternion): Quaternion {
  const length = Math.hypot(...rotation);
  const [x, y, z, w] = rotation;
  return [x / length, y / length, z / length, w / length];
}

const longthrow = measured([0.09565, -0.10007, 0.69211, 0.70839], [-0.0594, -0.0151, -0.0181]);
const gyroscope = measured([0.78335, 0.01927, 0.0864, 0.61524], [0, 0, 0]);

/** Of the colour camera, in the form in which it tells it: `position` in the rig, `rotation` to the rig. */
export const pvPlace: { position: Vector; rotation: Quaternion } = {
  position: [0.0036, -0.05, 0.0133],
  rotation: unit([-0.71564, 0.69836, -0.0019, 0.01243]),
};

/** The two front cameras stand as far apart as this, metres: the colour camera is measured midway. */
const frontBase = 0.1;
/** Of the side cameras: turned outwards about the vertical, degrees. */
const sideways = 75;
const [turn, rest] = halfOf(sideways);

function halfOf(degrees: number): [sine: number, cosine: number] {
  const half = (degrees / 2) * (Math.PI / 180);
  return [Math.sin(half), Math.cos(half)];
}

export const rigExtrinsics = {
  pv: extrinsicsOf(pvPlace),
  "vlc-leftfront": measured([0, 0, 0, 1], [0, 0, 0]),
  /** Upside down beside the left one, so that its picture lies on the other side. */
  "vlc-rightfront": derived([0, 0, 1, 0], [0, -frontBase, 0]),
  "vlc-leftleft": derived([0, turn, rest, 0], [0, 0.02, -0.02]),
  "vlc-rightright": derived([turn, 0, 0, rest], [0, -frontBase - 0.02, -0.02]),
  "depth-longthrow": longthrow,
  /** The same sensor behind the same lens. */
  "depth-ahat": longthrow,
  accelerometer: measured([-0.01798, 0.7805, 0.619, -0.08567], [0.0187, 0.0497, 0.1117]),
  gyroscope,
  /** The device tells none: taken to lie along the gyroscope's axes. */
  magnetometer: gyroscope,
} as const satisfies Partial<Record<StreamName, Float32Array>>;

export type RigSensor = keyof typeof rigExtrinsics;
