/** A camera that circles around what it looks at, and the way from its metres to a canvas's pixels. */
import type { Point, Scene } from "./poses.ts";

export interface Camera {
  /** Radians, around the upright axis y; and down from the horizon. */
  yaw: number;
  pitch: number;
  centre: Point;
  /** Metres that fit from the centre to the edge. */
  reach: number;
}

export interface Projected {
  x: number;
  y: number;
  /** Towards the eye, in reaches: what is nearer is drawn later. */
  near: number;
}

/** So many reaches away: enough perspective to see what is nearer, too little to distort. */
const eyeReaches = 4;

export function project(point: Point, camera: Camera, width: number, height: number): Projected {
  const { yaw, pitch, centre, reach } = camera;
  const x = (point[0] - centre[0]) / reach;
  const y = (point[1] - centre[1]) / reach;
  const z = (point[2] - centre[2]) / reach;
  const across = x * Math.cos(yaw) - z * Math.sin(yaw);
  const depth = x * Math.sin(yaw) + z * Math.cos(yaw);
  const up = y * Math.cos(pitch) - depth * Math.sin(pitch);
  const near = y * Math.sin(pitch) + depth * Math.cos(pitch);
  const scale = ((Math.min(width, height) / 2) * eyeReaches) / Math.max(0.5, eyeReaches - near);
  return { x: width / 2 + across * scale, y: height / 2 - up * scale, near };
}

/** Follows what is there, slowly: a camera that jumps with each frame makes one dizzy. */
export function follow(camera: Camera, scene: Scene, share: number): void {
  const points = [
    ...scene.dots.map(({ at }) => at),
    ...scene.lines.flatMap(({ from, to, ray }) =>
      ray ? [from, between(from, to, 0.5)] : [from, to],
    ),
  ];
  if (points.length === 0) return;
  const middle = (axis: 0 | 1 | 2) => {
    const values = points.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  const centre: Point = [middle(0), middle(1), middle(2)];
  const distances = points.map(([x, y, z]) =>
    Math.hypot(x - centre[0], y - centre[1], z - centre[2]),
  );
  const reach = Math.max(0.05, 1.25 * Math.max(...distances));
  camera.centre = between(camera.centre, centre, share);
  camera.reach += share * (reach - camera.reach);
}

function between(from: Point, to: Point, share: number): Point {
  const at = (axis: 0 | 1 | 2) => from[axis] + share * (to[axis] - from[axis]);
  return [at(0), at(1), at(2)];
}
