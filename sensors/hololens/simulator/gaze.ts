/** Where the simulated wearer looks: head and eyes, derived from the rig's pose. */
import type { Vector } from "../wire/pose.ts";
import { transformPoint } from "../wire/pose.ts";
import { rigPoseAt } from "./world/motion.ts";

/** Axes of the rig: x is down, y is left, z is forward. */
const middleOfHead: Vector = [0.02, -0.05, -0.06];
const eyes: Record<"left" | "right", Vector> = {
  left: [0.045, -0.018, -0.03],
  right: [0.045, -0.082, -0.03],
};
/** Metres that both eyes look away. */
const distance = 1.5;

export interface Ray {
  origin: Vector;
  direction: Vector;
}

export interface HeadPose {
  position: Vector;
  forward: Vector;
  up: Vector;
}

/** In the world. */
export function headAt(seconds: number): HeadPose {
  const pose = rigPoseAt(seconds);
  const axis = (row: number, sign: number): Vector => [
    sign * (pose[4 * row] as number),
    sign * (pose[4 * row + 1] as number),
    sign * (pose[4 * row + 2] as number),
  ];
  return { position: transformPoint(middleOfHead, pose), forward: axis(2, 1), up: axis(0, -1) };
}

/** In the rig's frame: the eyes follow a slow loop in front of the head. */
export function gazeAt(seconds: number): Record<"combined" | "left" | "right", Ray> {
  const turn = (Math.PI / 2) * seconds;
  const target: Vector = [
    0.1 * Math.sin(2 * turn) + eyes.left[0],
    0.25 * Math.sin(turn) - 0.05,
    distance,
  ];
  const { left, right } = eyes;
  const middle: Vector = [left[0], (left[1] + right[1]) / 2, left[2]];
  const ray = (origin: Vector): Ray => ({ origin, direction: directionTo(origin, target) });
  return { combined: ray(middle), left: ray(left), right: ray(right) };
}

/** A ray of the rig's frame in the world. */
export function rayInWorld({ origin, direction }: Ray, seconds: number): Ray {
  const pose = rigPoseAt(seconds);
  const tip: Vector = [
    origin[0] + direction[0],
    origin[1] + direction[1],
    origin[2] + direction[2],
  ];
  const from = transformPoint(origin, pose);
  return { origin: from, direction: directionTo(from, transformPoint(tip, pose)) };
}

export function directionTo(from: Vector, to: Vector): Vector {
  const [x, y, z] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
