/**
 * A lens: from the plane at z = 1 to the picture and back.
 *
 * Forward, a point of the plane is turned by `rotation` (a camera's tables may be about other axes than
 * its lens), drawn in by a polynomial of its distance from the axis, shifted by the terms of a lens that
 * is not quite centred (tangential) and not quite upright (prism), and put on the pixels. That much is
 * needed: with a polynomial alone the left front camera is 7 pixels off in the mean. Pixels are counted
 * from the centre of the first one: u = 0 is that centre.
 */
import type { Vector } from "../../wire/pose.ts";

export interface Lens {
  /** Pixels; u = fx x + skew y + cx, v = fy y + cy. */
  fx: number;
  fy: number;
  cx: number;
  cy: number;
  skew: number;
  /** Whether `radial` is of the angle from the axis (wide lenses) or of its tangent. */
  radialOf: "angle" | "tangent";
  /** Of the 2nd, 4th, 6th and 8th power. */
  radial: readonly [number, number, number, number];
  tangential: readonly [number, number];
  /** x: of the 2nd and 4th power; y: the same. */
  prism: readonly [number, number, number, number];
  /** Axis times angle, radians, for column vectors. */
  rotation: Vector;
  /** The lens sees nothing further from the axis (of the tables), degrees; the polynomial ends there too. */
  halfFieldDegrees: number;
}

export type Pixel = [u: number, v: number];
export type PlanePoint = [x: number, y: number];

/** @returns the function from the plane at z = 1 to pixels, which may be outside the picture; null: not seen */
export function projector(lens: Lens): (x: number, y: number) => Pixel | null {
  const { fx, fy, cx, cy, skew, radial, tangential, prism } = lens;
  const [k1, k2, k3, k4] = radial;
  const [p1, p2] = tangential;
  const [sx2, sx4, sy2, sy4] = prism;
  const [first, second, third] = rotationMatrix(lens.rotation);
  const limit = Math.tan((lens.halfFieldDegrees * Math.PI) / 180) ** 2;
  const byAngle = lens.radialOf === "angle";

  return (x, y) => {
    if (!(x * x + y * y <= limit)) return null;
    const turnedX = first[0] * x + first[1] * y + first[2];
    const turnedY = second[0] * x + second[1] * y + second[2];
    const turnedZ = third[0] * x + third[1] * y + third[2];
    if (turnedZ <= 0) return null;
    let a = turnedX / turnedZ;
    let b = turnedY / turnedZ;
    if (byAngle) {
      const tangent = Math.hypot(a, b);
      const shrink = tangent > 1e-9 ? Math.atan(tangent) / tangent : 1;
      a *= shrink;
      b *= shrink;
    }
    const r2 = a * a + b * b;
    const drawn = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * k4)));
    const ab2 = 2 * a * b;
    const p = a * drawn + p1 * ab2 + p2 * (r2 + 2 * a * a) + r2 * (sx2 + r2 * sx4);
    const q = b * drawn + p2 * ab2 + p1 * (r2 + 2 * b * b) + r2 * (sy2 + r2 * sy4);
    return [fx * p + skew * q + cx, fy * q + cy];
  };
}

/** @returns the way back, by Newton's method; null where the lens shows nothing at that pixel */
export function unprojector(lens: Lens): (u: number, v: number) => PlanePoint | null {
  const project = projector({ ...lens, halfFieldDegrees: Math.min(lens.halfFieldDegrees + 5, 89) });
  const limit = Math.tan((lens.halfFieldDegrees * Math.PI) / 180) ** 2;
  const guess = firstGuess(lens);
  const step = 1e-6;

  return (u, v) => {
    const start = guess(u, v);
    let x = start[0];
    let y = start[1];
    for (let round = 0; round < 30; round++) {
      const at = project(x, y);
      const right = project(x + step, y);
      const down = project(x, y + step);
      if (!at || !right || !down) return null;
      const du = u - at[0];
      const dv = v - at[1];
      const ux = (right[0] - at[0]) / step;
      const uy = (down[0] - at[0]) / step;
      const vx = (right[1] - at[1]) / step;
      const vy = (down[1] - at[1]) / step;
      const determinant = ux * vy - uy * vx;
      x += (du * vy - dv * uy) / determinant;
      y += (dv * ux - du * vx) / determinant;
      if (Math.abs(du) + Math.abs(dv) < 1e-6) return x * x + y * y <= limit ? [x, y] : null;
    }
    return null;
  };
}

/** As if the lens were without fault; kept inside its field, since beyond it nothing is defined. */
function firstGuess({ fx, fy, cx, cy, radialOf, halfFieldDegrees }: Lens) {
  const most = (halfFieldDegrees * Math.PI) / 180;
  return (u: number, v: number): PlanePoint => {
    const p = (u - cx) / fx;
    const q = (v - cy) / fy;
    const radius = Math.hypot(p, q);
    if (radius < 1e-9) return [p, q];
    const angle = radialOf === "angle" ? radius : Math.atan(radius);
    const stretch = Math.tan(Math.min(angle, most)) / radius;
    return [p * stretch, q * stretch];
  };
}

/** What a lens shows on the other side of a plane x = 0, with the picture's columns counted backwards. */
export function mirrored(lens: Lens, width: number): Lens {
  const [p1, p2] = lens.tangential;
  const [sx2, sx4, sy2, sy4] = lens.prism;
  const [turnX, turnY, turnZ] = lens.rotation;
  return {
    ...lens,
    cx: width - 1 - lens.cx,
    skew: -lens.skew,
    tangential: [p1, -p2],
    prism: [-sx2, -sx4, sy2, sy4],
    rotation: [turnX, -turnY, -turnZ],
  };
}

type Rows = readonly [Vector, Vector, Vector];

function rotationMatrix([rx, ry, rz]: Vector): Rows {
  const angle = Math.hypot(rx, ry, rz);
  if (angle === 0) {
    return [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
  }
  const [x, y, z] = [rx / angle, ry / angle, rz / angle];
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const t = 1 - c;
  return [
    [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
    [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
    [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
  ];
}
