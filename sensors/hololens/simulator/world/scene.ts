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
  "none",
  "wall",
  "leftWall",
  "rightWall",
  "floor",
  "table",
  "sphere",
  "ball",
] as const;
/** Of all but 0, which is nothing. */
export type Surface = Exclude<(typeof surfaces)[number], "none">;

/** What each of many rays meets. */
export interface Hits {
  /** Along the ray, from where it begins; Infinity: nothing. */
  metres: Float64Array;
  /** Indices of `surfaces`. */
  met: Uint8Array;
}

const oneHit: Hits = { metres: new Float64Array(1), met: new Uint8Array(1) };

/**
 * @param direction of length 1
 * @returns null where the ray meets nothing
 */
export function distanceAlong(
  origin: Vector,
  direction: Vector,
): { metres: number; surface: Surface } | null {
  const at = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...origin, 1];
  castRays(at, direction, oneHit);
  const surface = surfaces[oneHit.met[0] as number];
  if (!surface || surface === "none") return null;
  return { metres: oneHit.metres[0] as number, surface };
}

/**
 * The rays of a whole picture in one loop, which makes no objects.
 *
 * @param pose of the rays' frame to world, 4x4 for row vectors: they begin at its origin
 * @param rays x, y, z of each, of length 1; NaN: no ray
 * @param hits gets what each meets
 */
export function castRays(pose: ArrayLike<number>, rays: ArrayLike<number>, hits: Hits): void {
  const at = (index: number) => pose[index] as number;
  // One by one: out of a list of several the compiler would not know them for numbers, and the loop take
  // five times as long.
  const xx = at(0);
  const xy = at(1);
  const xz = at(2);
  const yx = at(4);
  const yy = at(5);
  const yz = at(6);
  const zx = at(8);
  const zy = at(9);
  const zz = at(10);
  const fromX = at(12);
  const fromY = at(13);
  const fromZ = at(14);
  const { wall, leftWall, rightWall, floor, table } = scene;
  const wallAway = wall.z - fromZ;
  const leftAway = leftWall.x - fromX;
  const rightAway = rightWall.x - fromX;
  const floorAway = floor.y - fromY;
  const tableAway = table.y - fromY;
  const sphere = seenFrom(scene.sphere, fromX, fromY, fromZ);
  const ball = seenFrom(scene.ball, fromX, fromY, fromZ);
  const count = hits.metres.length;

  for (let ray = 0; ray < count; ray++) {
    const x = rays[3 * ray] as number;
    const y = rays[3 * ray + 1] as number;
    const z = rays[3 * ray + 2] as number;
    const dx = x * xx + y * yx + z * zx;
    const dy = x * xy + y * yy + z * zy;
    const dz = x * xz + y * yz + z * zz;
    let nearest = Number.POSITIVE_INFINITY;
    let met = 0;
    const toWall = wallAway / dz;
    if (toWall > 0) {
      nearest = toWall;
      met = 1;
    }
    const toSide = (dx < 0 ? leftAway : rightAway) / dx;
    if (toSide > 0 && toSide < nearest) {
      nearest = toSide;
      met = dx < 0 ? 2 : 3;
    }
    const toFloor = floorAway / dy;
    if (toFloor > 0 && toFloor < nearest) {
      nearest = toFloor;
      met = 4;
    }
    const toTable = tableAway / dy;
    if (toTable > 0 && toTable < nearest) {
      const overX = fromX + toTable * dx;
      const overZ = fromZ + toTable * dz;
      const inside = overX > table.left && overX < table.right;
      if (inside && overZ > table.far && overZ < table.near) {
        nearest = toTable;
        met = 5;
      }
    }
    const alongSphere = sphere.x * dx + sphere.y * dy + sphere.z * dz;
    const inSphere = alongSphere * alongSphere - sphere.beyond;
    if (inSphere >= 0 && alongSphere > 0) {
      const toSphere = alongSphere - Math.sqrt(inSphere);
      if (toSphere < nearest) {
        nearest = toSphere;
        met = 6;
      }
    }
    const alongBall = ball.x * dx + ball.y * dy + ball.z * dz;
    const inBall = alongBall * alongBall - ball.beyond;
    if (inBall >= 0 && alongBall > 0) {
      const toBall = alongBall - Math.sqrt(inBall);
      if (toBall < nearest) {
        nearest = toBall;
        met = 7;
      }
    }
    hits.metres[ray] = nearest;
    hits.met[ray] = met;
  }
}

/** Where the centre is from there, and by how much (squared) that is further than the radius. */
function seenFrom(
  { centre, radius }: { centre: Vector; radius: number },
  fromX: number,
  fromY: number,
  fromZ: number,
) {
  const x = centre[0] - fromX;
  const y = centre[1] - fromY;
  const z = centre[2] - fromZ;
  return { x, y, z, beyond: x * x + y * y + z * z - radius * radius };
}

/**
 * How bright a surface is at a point of the world: squares on what is flat, shades on what is round.
 *
 * @param met index of `surfaces`
 * @returns 0 to 255
 */
export function brightnessAt(met: number, x: number, y: number, z: number): number {
  if (met === 1) return squares(4 * x, 4 * y) ? 200 : 110;
  if (met === 4) return squares(2.5 * x, 2.5 * z) ? 120 : 60;
  if (met === 2 || met === 3) return squares(4 * y, 4 * z) ? 180 : 130;
  if (met === 5) return squares(10 * x, 10 * z) ? 170 : 140;
  if (met === 6) return shade(scene.sphere, x, y, z);
  if (met === 7) return shade(scene.ball, x, y, z);
  return 0;
}

/** Of side 1. */
function squares(a: number, b: number): boolean {
  return ((Math.floor(a) + Math.floor(b)) & 1) === 0;
}

/** Lit from above, from the right and from behind the head. */
function shade(
  { centre, radius }: { centre: Vector; radius: number },
  x: number,
  y: number,
  z: number,
): number {
  const lit = 0.4 * (x - centre[0]) + 0.7 * (y - centre[1]) + 0.59 * (z - centre[2]);
  return 50 + (190 / radius) * Math.max(lit, 0);
}
