/**
 * The simulated world agrees with itself: what a lens does forward it undoes backward, what the inertial
 * sensors feel adds up to the motion of the poses, depth pictures show the scene where it is.
 *
 * To see it fail: take `+ gravity` or the lever arm (`placeOf` without the sensor's place) out of
 * sensors/hololens/simulator/world/motion.ts; swap `p1` and `p2` in `mirrored` of lens.ts.
 */
import { describe, expect, test } from "bun:test";
import {
  type CameraStream,
  cameraModels,
  project,
  rayOf,
  rayTable,
} from "../sensors/hololens/simulator/world/camera-models.ts";
import {
  cameraPoseAt,
  imuAt,
  periodSeconds,
  rigPoseAt,
} from "../sensors/hololens/simulator/world/motion.ts";
import { renderDepth, renderGrey } from "../sensors/hololens/simulator/world/rendering.ts";
import { type RigSensor, rigExtrinsics } from "../sensors/hololens/simulator/world/rig.ts";
import { distanceAlong, scene, surfaces } from "../sensors/hololens/simulator/world/scene.ts";
import {
  poseInverse,
  poseThen,
  transformPoint,
  type Vector,
} from "../sensors/hololens/wire/pose.ts";

const cameras = Object.keys(cameraModels) as CameraStream[];
const sensors = Object.keys(rigExtrinsics) as RigSensor[];

describe("lenses", () => {
  test.each(cameras)("%s: each pixel's ray is projected back onto it", (camera) => {
    const model = cameraModels[camera];
    const facing: number = model.facing;
    let seen = 0;
    for (let v = 0; v < model.height; v += 7) {
      for (let u = 0; u < model.width; u += 7) {
        const ray = rayOf(model, u, v);
        if (!ray) continue;
        seen++;
        const pixel = project(model, [2 * facing * ray[0], 2 * facing * ray[1], 2 * facing]);
        expect(Math.hypot((pixel?.[0] ?? 9e9) - u, (pixel?.[1] ?? 9e9) - v)).toBeLessThan(1e-3);
      }
    }
    const all = Math.ceil(model.height / 7) * Math.ceil(model.width / 7);
    if (camera === "depth-ahat") expect(seen / all).toBeWithin(0.8, 0.95);
    else expect(seen).toBe(all);
  });

  test("nothing is seen from behind, nor beyond the field", () => {
    const model = cameraModels["depth-longthrow"];
    expect(project(model, [0, 0, 1])).not.toBeNull();
    expect(project(model, [0, 0, -1])).toBeNull();
    expect(project(model, [0, 0, 0])).toBeNull();
    expect(project(model, [Number.NaN, 0, 1])).toBeNull();
    expect(project(model, [3, 0, 1])).toBeNull();
    expect(rayOf(cameraModels["depth-ahat"], 0, 0)).toBeNull();
    expect(rayOf(model, 1e9, 0)).toBeNull();
  });

  test("the right front camera is the left one's mirror image", () => {
    const [left, right] = [cameraModels["vlc-leftfront"], cameraModels["vlc-rightfront"]];
    for (const [x, y] of [
      [0.3, 0.2],
      [-0.4, 0.1],
      [0.1, -0.5],
    ] as const) {
      const there = project(left, [x, y, 1]);
      const here = project(right, [-x, y, 1]);
      expect(here?.[0]).toBeCloseTo(left.width - 1 - (there?.[0] ?? 0), 9);
      expect(here?.[1]).toBeCloseTo(there?.[1] ?? 0, 9);
    }
  });
});

describe("motion", () => {
  test("begins anew after its period, without a jump", () => {
    for (const seconds of [0, 1.3, 3.999]) {
      const here = rigPoseAt(seconds);
      const later = rigPoseAt(seconds + periodSeconds);
      const next = rigPoseAt(seconds + 0.001);
      for (let i = 0; i < 16; i++) {
        expect(later[i] as number).toBeCloseTo(here[i] as number, 5);
        expect(next[i] as number).toBeCloseTo(here[i] as number, 2);
      }
    }
  });

  test("poses and extrinsics are rotations and translations; x is right, y up, -z forward", () => {
    const poses = [0, 1, 2.5].map(rigPoseAt);
    for (const pose of [...poses, ...sensors.map((sensor) => rigExtrinsics[sensor])]) {
      const product = poseThen(pose, poseInverse(pose));
      for (let i = 0; i < 16; i++) expect(product[i] as number).toBeCloseTo(i % 5 ? 0 : 1, 5);
      expect(determinant(pose)).toBeCloseTo(1, 5);
    }
    // The picture's column direction of the left front camera, which lies on its side, is down.
    const [, down] = direction(cameraPoseAt("vlc-leftfront", 0), [1, 0, 0]);
    expect(down).toBeLessThan(-0.9);
    const [, up] = direction(cameraPoseAt("pv", 0), [0, 1, 0]);
    expect(up).toBeGreaterThan(0.9);
    const [, , forward] = direction(cameraPoseAt("pv", 0), [0, 0, -1]);
    expect(forward).toBeLessThan(-0.9);
  });

  test("adding up the gyroscope turns as the poses do", () => {
    const steps = 4000;
    const dt = periodSeconds / 2 / steps;
    const toWorld = (seconds: number) => cameraPoseAt("gyroscope", seconds);
    const axis: Vector = [0.3, -0.5, 0.8];
    // A direction fixed in the world, followed in the sensor's own axes: v' = v × w.
    let v = intoSensor(toWorld(0), axis);
    for (let i = 0; i < steps; i++) {
      const [wx, wy, wz] = imuAt("gyroscope", (i + 0.5) * dt).map(
        (rate) => (rate * Math.PI) / 180,
      ) as Three;
      const halfway = plus(v, cross(v, [wx, wy, wz]), dt / 2);
      v = plus(v, cross(halfway, [wx, wy, wz]), dt);
    }
    const expected = intoSensor(toWorld(periodSeconds / 2), axis);
    for (const i of [0, 1, 2] as const) expect(v[i]).toBeCloseTo(expected[i], 4);
  });

  test("adding up the accelerometer twice, less gravity, moves as the sensor's place does", () => {
    const steps = 4000;
    const dt = periodSeconds / 2 / steps;
    const place = (seconds: number) => [...cameraPoseAt("accelerometer", seconds).slice(12, 15)];
    const [start, end] = [place(0), place(periodSeconds / 2)];
    // Pose matrices are floats: their difference over a hundredth of a second is good to 0.02 mm/s.
    let velocity = [0, 1, 2].map(
      (i) => ((place(5e-3)[i] ?? 0) - (place(-5e-3)[i] ?? 0)) / 1e-2,
    ) as Three;
    let position = start as Three;
    for (let i = 0; i < steps; i++) {
      const seconds = (i + 0.5) * dt;
      const felt = direction(
        cameraPoseAt("accelerometer", seconds),
        imuAt("accelerometer", seconds),
      );
      position = plus(position, velocity, dt / 2);
      velocity = plus(velocity, [felt[0], felt[1] - 9.81, felt[2]], dt);
      position = plus(position, velocity, dt / 2);
    }
    for (const i of [0, 1, 2] as const) expect(position[i]).toBeCloseTo(end[i] ?? 9, 3);
  });

  test("the field does not depend on the head but for its turning", () => {
    for (const seconds of [0, 1, 3]) {
      const field = direction(
        cameraPoseAt("magnetometer", seconds),
        imuAt("magnetometer", seconds),
      );
      for (const [i, value] of [0, -44, -20].entries())
        expect(field[i] ?? 99).toBeCloseTo(value, 3);
    }
  });
});

describe("scene", () => {
  const inFront = ["depth-longthrow", "vlc-leftfront", "vlc-rightfront"] as const;

  test.each(inFront)("%s sees the whole sphere all the time", (camera) => {
    const model = cameraModels[camera];
    const { centre, radius } = scene.sphere;
    for (let seconds = 0; seconds < periodSeconds; seconds += 0.1) {
      const fromWorld = poseInverse(cameraPoseAt(camera, seconds));
      for (const [x, y] of [
        [radius, 0],
        [-radius, 0],
        [0, radius],
        [0, -radius],
      ] as const) {
        const edge = transformPoint([centre[0] + x, centre[1] + y, centre[2]], fromWorld);
        const [u, v] = project(model, edge) ?? [-1, -1];
        expect(u).toBeWithin(0, model.width);
        expect(v).toBeWithin(0, model.height);
      }
    }
  });

  test("a depth is as far along the ray as the surface is", () => {
    for (const camera of ["depth-longthrow", "depth-ahat"] as const) {
      const model = cameraModels[camera];
      const pose = cameraPoseAt(camera, 0.7);
      const depth = new Uint16Array(model.width * model.height);
      const ab = new Uint16Array(depth.length).fill(7);
      renderDepth(model, pose, depth, ab);
      const seen = new Set<string>();
      for (let pixel = 0; pixel < depth.length; pixel += 13) {
        const ray = rayOf(model, pixel % model.width, Math.floor(pixel / model.width));
        const hit = ray && distanceAlong(placeOf(pose), unit(direction(pose, [...ray, 1])));
        const inRange = hit && hit.metres <= model.rangeMetres;
        if (inRange) seen.add(hit.surface);
        const shown = depth[pixel] ?? -1;
        expect(Math.abs(shown - (inRange ? 1000 * hit.metres : 0))).toBeLessThan(0.51);
        if (!hit) expect(ab[pixel]).toBe(0);
      }
      const near = ["table", "ball"];
      const far = ["wall", "leftWall", "floor", "table", "sphere", "ball"];
      expect([...seen].sort()).toEqual((camera === "depth-ahat" ? near : far).sort());
    }
  });

  test.each(["vlc-leftfront", "vlc-rightright"] as const)("%s shows something", (camera) => {
    const model = cameraModels[camera];
    const picture = new Uint8Array(model.width * model.height);
    renderGrey(model, cameraPoseAt(camera, 0), picture);
    expect(new Set(picture).size).toBeGreaterThan(3);
    expect(picture.filter((value) => value === 0).length).toBe(0);
    expect(rayTable(model)).toBe(rayTable(model));
  });

  test("rays that meet nothing", () => {
    expect(distanceAlong([0, 0, 0], [0, 1, 0])).toBeNull();
    expect(distanceAlong([0, 0, 0], [Number.NaN, Number.NaN, Number.NaN])).toBeNull();
    const { centre, radius } = scene.sphere;
    const hit = distanceAlong([centre[0], centre[1], 0], [0, 0, -1]);
    expect(hit?.surface).toBe("sphere");
    expect(hit?.metres).toBeCloseTo(-centre[2] - radius, 12);
    expect(new Set(surfaces).size).toBe(surfaces.length);
  });
});

type Three = [number, number, number];

function placeOf(pose: Float32Array): Vector {
  return transformPoint([0, 0, 0], pose);
}

/** A direction by a pose's rotation alone. */
function direction(pose: ArrayLike<number>, along: Vector): Vector {
  return plus(transformPoint(along, pose), transformPoint([0, 0, 0], pose), -1);
}

function intoSensor(toWorld: Float32Array, along: Vector): Three {
  return [...direction(poseInverse(toWorld), along)];
}

function plus(a: Vector, b: Vector, times: number): Three {
  return [a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]];
}

function cross([a, b, c]: Vector, [x, y, z]: Vector): Three {
  return [b * z - c * y, c * x - a * z, a * y - b * x];
}

function unit(v: Vector): Vector {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}

function determinant(m: Float32Array): number {
  const row = (i: number): Vector => [m[i] ?? 0, m[i + 1] ?? 0, m[i + 2] ?? 0];
  const [x, y, z] = cross(row(0), row(4));
  const [a, b, c] = row(8);
  return x * a + y * b + z * c;
}
