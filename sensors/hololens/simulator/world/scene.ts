/**
 * What the simulated headset looks at: the wall ahead and two beside, the floor, a table below, a sphere in
 * front of the wall and a small ball as near as a hand. A ray meets one of them, or nothing.
 */
import type { Vector } from "../../wire/pose.ts";

/** World: metres, x right, y up, -z forward; the head moves about the origin. */
export const scene = {
  wall: { z: -3 },
  leftWall: { x: -2.5 },
  rightWall: { x: 2.5 },
  floor: { y: -1.6 },
  table: { y: -0.55, left: -0.6, right: 0.6, far: -1, near: -0.35 },
  sphere: { centre: [0.1, -0.15, -2], radius: 0.4 },
  ball: { centre: [0.22, -0.22, -0.55], radius: 0.07 },
} as const;

export const surfaces = [
  "wall",
  "leftWall",
  "rightWall",
  "floor",
  "table",
  "sphere",
  "ball",
] as const;
export type Surface = (typeof surfaces)[number];

export interface Hit {
  /** Along the ray, from where it begins. */
  metres: number;
  surface: Surface;
}

/**
 * Who wants the whole picture calls `meet` for each pixel, which makes no objects: -1, or the index of the
 * surface, and `metresMet` is how far away. One at a time.
 */
export let metresMet = 0;

/**
 * @param direction of length 1
 * @returns null where the ray meets nothing
 */
export function distanceAlong(origin: Vector, direction: Vector): Hit | null {
  const surface = surfaces[meet(...origin, ...direction)];
  return surface ? { metres: metresMet, surface } : null;
}

/** The ray begins at x, y, z; its direction has the length 1. */
export function meet(x: number, y: number, z: number, dx: number, dy: number, dz: number): number {
  const { wall, leftWall, rightWall, floor, table, sphere, ball } = scene;
  let nearest = Number.POSITIVE_INFINITY;
  let met = -1;
  const toWall = (wall.z - z) / dz;
  if (toWall > 0) {
    nearest = toWall;
    met = 0;
  }
  const toSide = ((dx < 0 ? leftWall.x : rightWall.x) - x) / dx;
  if (toSide > 0 && toSide < nearest) {
    nearest = toSide;
    met = dx < 0 ? 1 : 2;
  }
  const toFloor = (floor.y - y) / dy;
  if (toFloor > 0 && toFloor < nearest) {
    nearest = toFloor;
    met = 3;
  }
  const toTable = (table.y - y) / dy;
  if (toTable > 0 && toTable < nearest) {
    const overX = x + toTable * dx;
    const overZ = z + toTable * dz;
    if (overX > table.left && overX < table.right && overZ > table.far && overZ < table.near) {
      nearest = toTable;
      met = 4;
    }
  }
  const [sx, sy, sz] = sphere.centre;
  const toSphere = intoBall(sx - x, sy - y, sz - z, dx, dy, dz, sphere.radius);
  if (toSphere < nearest) {
    nearest = toSphere;
    met = 5;
  }
  const [bx, by, bz] = ball.centre;
  const toBall = intoBall(bx - x, by - y, bz - z, dx, dy, dz, ball.radius);
  if (toBall < nearest) {
    nearest = toBall;
    met = 6;
  }
  metresMet = nearest;
  return met;
}

/** @returns how far to the nearer side of a ball whose centre is at x, y, z from here; Infinity: missed */
function intoBall(
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
  radius: number,
): number {
  const along = x * dx + y * dy + z * dz;
  const inside = along * along - (x * x + y * y + z * z) + radius * radius;
  if (along <= 0 || inside < 0) return Number.POSITIVE_INFINITY;
  return along - Math.sqrt(inside);
}

/**
 * How bright a surface is at a point of the world: squares on wall, floor and table, shades on the round ones.
 *
 * @param met index in `surfaces`; -1: nothing
 * @returns 0 to 255
 */
export function brightnessAt(met: number, x: number, y: number, z: number): number {
  switch (met) {
    case 0:
      return squares(x, y, 0.25) ? 200 : 110;
    case 1:
    case 2:
      return squares(y, z, 0.25) ? 180 : 130;
    case 3:
      return squares(x, z, 0.4) ? 120 : 60;
    case 4:
      return squares(x, z, 0.1) ? 170 : 140;
    case 5:
      return shade(scene.sphere, x, y, z);
    case 6:
      return shade(scene.ball, x, y, z);
    default:
      return 0;
  }
}

function squares(a: number, b: number, side: number): boolean {
  return ((Math.floor(a / side) + Math.floor(b / side)) & 1) === 0;
}

/** Lit from above, from the right and from behind the head. */
function shade(
  { centre, radius }: { centre: Vector; radius: number },
  x: number,
  y: number,
  z: number,
): number {
  const [cx, cy, cz] = centre;
  const lit = (0.4 * (x - cx) + 0.7 * (y - cy) + 0.59 * (z - cz)) / radius;
  return 50 + 190 * Math.max(lit, 0);
}
