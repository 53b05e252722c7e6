/**
 * How the simulated head moves: it looks around and sways, and after `periodSeconds` it is where it began,
 * so that pictures rendered for one period fit every later one.
 *
 * The world is the headset's own: metres, x right, y up, -z forward, its origin where the app started,
 * here 1.6 m above the floor. What the inertial sensors feel is derived from the same motion.
 */
import { poseInverse, poseThen, transformPoint, type Vector } from "../../wire/pose.ts";
import { type RigSensor, rigExtrinsics } from "./rig.ts";

export const periodSeconds = 4;

const gravity = 9.81;
/** µT, in the middle of Europe with north ahead; the device's own unit is not stated. */
const magneticField: Vector = [0, -44, -20];

/** Waves with whole numbers of turns in a period. */
interface Wave {
  size: number;
  turns: number;
  /** Of a turn. */
  phase: number;
}

const wave = (size: number, turns: number, phase = 0): Wave => ({ size, turns, phase });
const degrees = Math.PI / 180;

/** Radians. */
const yaw = [wave(9 * degrees, 1), wave(2 * degrees, 2, 0.3)];
const pitch = [wave(4 * degrees, 1, 0.25), wave(1 * degrees, 3, 0.1)];
const roll = [wave(1.5 * degrees, 2, 0.6)];
/** Metres. */
const right = [wave(0.05, 1, 0.1), wave(0.01, 3)];
const up = [wave(0.015, 2, 0.4)];
const back = [wave(0.03, 1, 0.7)];

function sum(waves: readonly Wave[], seconds: number): number {
  let value = 0;
  for (const { size, turns, phase } of waves) {
    value += size * Math.sin(2 * Math.PI * ((turns * seconds) / periodSeconds + phase));
  }
  return value;
}

/** @returns rig node to world, 4x4 for row vectors */
export function rigPoseAt(seconds: number): Float32Array {
  return Float32Array.from(exactPose(seconds));
}

/** @returns the sensor's own frame to world, 4x4 for row vectors: inverse(extrinsics) · rig pose */
export function cameraPoseAt(stream: RigSensor, seconds: number): Float32Array {
  return poseThen(poseInverse(rigExtrinsics[stream]), exactPose(seconds));
}

/**
 * What a sensor feels, along its own axes: the accelerometer what holds it up and moves it (m/s²; at rest
 * 9.81 upwards), the gyroscope how it turns (deg/s), the magnetometer the field (µT).
 */
export function imuAt(
  sensor: "accelerometer" | "gyroscope" | "magnetometer",
  worldSeconds: number,
): Vector {
  // A device that has been up for months leaves too few digits for the differences below.
  const seconds = worldSeconds % periodSeconds;
  if (sensor === "magnetometer") return intoSensor(sensor, magneticField, seconds);
  if (sensor === "gyroscope") return intoSensor(sensor, turnRate(seconds), seconds);
  const [x, y, z] = acceleration(sensor, seconds);
  return intoSensor(sensor, [x, y + gravity, z], seconds);
}

/** Small enough for a motion of some Hz, large enough for the digits of a double. */
const stepSeconds = 1e-3;

function acceleration(sensor: RigSensor, seconds: number): Vector {
  const before = placeOf(sensor, seconds - stepSeconds);
  const now = placeOf(sensor, seconds);
  const after = placeOf(sensor, seconds + stepSeconds);
  const along = (i: 0 | 1 | 2) => (before[i] - 2 * now[i] + after[i]) / stepSeconds ** 2;
  return [along(0), along(1), along(2)];
}

function placeOf(sensor: RigSensor, seconds: number): Vector {
  const inRig = poseInverse(rigExtrinsics[sensor]);
  return transformPoint([at(inRig, 12), at(inRig, 13), at(inRig, 14)], exactPose(seconds));
}

/** Degrees per second about the world's axes: how the rig's axes move, a' = w × a for each. */
function turnRate(seconds: number): Vector {
  const before = exactPose(seconds - stepSeconds);
  const now = exactPose(seconds);
  const after = exactPose(seconds + stepSeconds);
  const rate: [number, number, number] = [0, 0, 0];
  for (let row = 0; row < 12; row += 4) {
    const change = (i: number) => (at(after, row + i) - at(before, row + i)) / (2 * stepSeconds);
    const axis = (i: number) => at(now, row + i);
    for (const [i, j, k] of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
    ] as const) {
      rate[i] += (axis(j) * change(k) - axis(k) * change(j)) / 2 / degrees;
    }
  }
  return rate;
}

function intoSensor(sensor: RigSensor, direction: Vector, seconds: number): Vector {
  const intoRig = turned(direction, exactPose(seconds), "back");
  return turned(intoRig, rigExtrinsics[sensor], "forth");
}

/** A direction by a pose's rotation alone. */
function turned(direction: Vector, pose: ArrayLike<number>, way: "forth" | "back"): Vector {
  const along = (i: number) => {
    let value = 0;
    for (let j = 0; j < 3; j++) {
      value += (direction[j] as number) * at(pose, way === "forth" ? 4 * j + i : 4 * i + j);
    }
    return value;
  };
  return [along(0), along(1), along(2)];
}

/** In doubles: accelerations are differences of differences. */
function exactPose(seconds: number): number[] {
  const [sy, cy] = sineAndCosine(sum(yaw, seconds));
  const [sp, cp] = sineAndCosine(sum(pitch, seconds));
  const [sr, cr] = sineAndCosine(sum(roll, seconds));
  // The head's own axes in the world: rolled about its back, pitched about its right, turned about up.
  const headRight = [cy * cr + sy * sp * sr, cp * sr, -sy * cr + cy * sp * sr];
  const headUp = [-cy * sr + sy * sp * cr, cp * cr, sy * sr + cy * sp * cr];
  const headBack = [sy * cp, -sp, cy * cp];
  // The rig's axes are down, left, forward.
  return [
    ...[...headUp.map((value) => -value), 0],
    ...[...headRight.map((value) => -value), 0],
    ...[...headBack.map((value) => -value), 0],
    ...[sum(right, seconds), sum(up, seconds), sum(back, seconds), 1],
  ];
}

function sineAndCosine(angle: number): [number, number] {
  return [Math.sin(angle), Math.cos(angle)];
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
