/** Two hands in front of the head that wave and open and close; each is out of sight for a while. */
import type { Vector } from "../wire/pose.ts";
import { jointNames, type SpatialInput } from "../wire/spatial-input.ts";
import { directionTo, type HeadPose } from "./gaze.ts";

type Hand = SpatialInput["handLeft"];
type Side = "left" | "right";

/** Metres: a finger's joints from the wrist on, and how far it stands to the thumb's side. */
const fingers = [
  { aside: 0.045, lengths: [0.03, 0.04, 0.03, 0.025] },
  { aside: 0.024, lengths: [0.045, 0.055, 0.035, 0.025, 0.02] },
  { aside: 0.004, lengths: [0.045, 0.055, 0.04, 0.028, 0.02] },
  { aside: -0.015, lengths: [0.045, 0.05, 0.036, 0.026, 0.02] },
  { aside: -0.033, lengths: [0.045, 0.045, 0.028, 0.02, 0.018] },
];
const palmLength = 0.05;
const jointRadius = 0.008;

/** Seconds of each round in which a hand is seen: of 4 s, as the rest of the world. */
const roundSeconds = 4;
const seen: Record<Side, [from: number, to: number]> = { left: [0.5, 3], right: [1.5, 4] };

export function isSeen(side: Side, seconds: number): boolean {
  const at = ((seconds % roundSeconds) + roundSeconds) % roundSeconds;
  const [from, to] = seen[side];
  return at >= from && at < to;
}

/** In the world. */
export function handAt(side: Side, seconds: number, head: HeadPose): Hand {
  const sign = side === "left" ? -1 : 1;
  const turn = (Math.PI / 2) * seconds;
  const { position, forward, up } = head;
  const right = cross(forward, up);
  const wrist = along(position, [
    [forward, 0.35 + 0.03 * Math.sin(turn)],
    [right, sign * (0.15 + 0.03 * Math.cos(turn))],
    [up, -0.15 + 0.04 * Math.sin(2 * turn)],
  ]);
  /** 0: stretched, 1: a fist. */
  const bend = 0.5 - 0.5 * Math.cos(2 * turn);
  const points: Vector[] = [along(wrist, [[forward, palmLength]]), wrist];
  for (const { aside, lengths } of fingers) {
    let place = along(wrist, [[right, -sign * aside]]);
    lengths.forEach((length, i) => {
      const angle = (bend * i * Math.PI) / 6;
      place = along(place, [
        [forward, length * Math.cos(angle)],
        [up, -length * Math.sin(angle)],
      ]);
      points.push(place);
    });
  }
  return jointNames.map((_, i) => jointAt(points, i, up));
}

function jointAt(points: Vector[], i: number, up: Vector): Hand[number] {
  const position = points[i] as Vector;
  const before = points[i <= 1 ? 1 : i - 1] as Vector;
  const direction =
    i === 1 ? directionTo(position, points[0] as Vector) : directionTo(before, position);
  return {
    orientation: lookingAlong(direction, up),
    position: [...position],
    radius: jointRadius,
    accuracy: 0,
  };
}

/** x, y, z, w of the turn that takes -z to `forward`, with +y near `up`. */
function lookingAlong(forward: Vector, up: Vector): number[] {
  const x = unit(cross(forward, up));
  const y = cross(x, forward);
  const z: Vector = [-forward[0], -forward[1], -forward[2]];
  const trace = x[0] + y[1] + z[2];
  const from = (a: number, b: number, c: number) => Math.sqrt(Math.max(0, 1 + a + b + c)) / 2;
  const w = from(trace, 0, 0);
  const qx = Math.sign(y[2] - z[1] || 1) * from(x[0], -y[1], -z[2]);
  const qy = Math.sign(z[0] - x[2] || 1) * from(-x[0], y[1], -z[2]);
  const qz = Math.sign(x[1] - y[0] || 1) * from(-x[0], -y[1], z[2]);
  const length = Math.hypot(qx, qy, qz, w);
  return [qx, qy, qz, w].map((value) => value / length);
}

function along(from: Vector, ways: readonly [direction: Vector, metres: number][]): Vector {
  const at = (i: 0 | 1 | 2) =>
    ways.reduce((sum, [direction, metres]) => sum + metres * direction[i], from[i]);
  return [at(0), at(1), at(2)];
}

function cross([ax, ay, az]: Vector, [bx, by, bz]: Vector): Vector {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

function unit(vector: Vector): Vector {
  return directionTo([0, 0, 0], vector);
}
