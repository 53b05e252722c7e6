/**
 * The example in Python makes a wall and a sphere of a depth frame, its pose and its calibration.
 *
 * To see it fail: in examples/hololens_points.py take the extrinsics without `inv`, or leave out the
 * division by the norm (depth as z).
 */
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import { calibrationOf } from "../sensors/hololens/calibration/document.ts";
import { calibrationBytes } from "../sensors/hololens/simulator/world/calibrations.ts";
import { cameraModels } from "../sensors/hololens/simulator/world/camera-models.ts";
import { cameraPoseAt, rigPoseAt } from "../sensors/hololens/simulator/world/motion.ts";
import { renderDepth } from "../sensors/hololens/simulator/world/rendering.ts";
import { scene } from "../sensors/hololens/simulator/world/scene.ts";
import { encodeFields, layOutFields } from "../src/ring/fields.ts";
import type { RingWriter } from "../src/ring.ts";
import { TestApi } from "./api.ts";
import { TestRings } from "./rings.ts";

const python = Bun.which("python3") ?? "python3";
const hasNumpy = Bun.spawnSync([python, "-c", "import numpy"]).success;
const example = join(import.meta.dir, "../examples/hololens_points.py");
const fit = join(import.meta.dir, "fixtures/fit-points.py");

interface Fits {
  points: number;
  dtype: string;
  plane: { points: number; rms: number; max: number; normal: number[]; z: number };
  sphere: { points: number; rms: number; max: number; centre: number[]; radius: number };
}

const stream = "hl.depth-longthrow";
const model = cameraModels["depth-longthrow"];
const fields = layOutFields([
  { name: "pose", dtype: "<f4", shape: [4, 4] },
  { name: "pose_valid", dtype: "|u1" },
]);

let rings: TestRings;
let api: TestApi;
let writer: RingWriter | undefined;
let hub: ReturnType<typeof Bun.serve>;

beforeAll(() => {
  rings = new TestRings("points");
  api = new TestApi(rings);
  const bytes = calibrationBytes("depth-longthrow");
  const calibration = calibrationOf("depth-longthrow", bytes, { from: "device" });
  spyOn(api.supervisor, "calibration").mockReturnValue(calibration);
  hub = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => api.app.fetch(request, { server }),
  });
});

afterAll(async () => {
  await hub.stop(true);
  await api.close();
});

describe.skipIf(!hasNumpy)("a frame of the simulated world", () => {
  test.each([0.4, 2.6])("%f s after the beginning", async (seconds) => {
    publish(seconds);
    const { plane, sphere, ...all } = await fitsOf(join(rings.directory, "points.npy"));
    expect(all).toEqual({ points: model.width * model.height, dtype: "<f8" });
    // Depths are whole millimetres: up to half of one off, 0.29 in the mean square, less across the ray.
    for (const { points, rms, max } of [plane, sphere]) {
      expect(points).toBeGreaterThan(5_000);
      expect(rms).toBeLessThan(0.000_3);
      expect(max).toBeLessThan(0.000_52);
    }
    expect(Math.abs(plane.normal[2] ?? 0)).toBeGreaterThan(1 - 1e-8);
    expect(plane.z).toBeCloseTo(scene.wall.z, 4);
    expect(sphere.radius).toBeCloseTo(scene.sphere.radius, 4);
    for (const i of [0, 1, 2] as const) {
      expect(sphere.centre[i]).toBeCloseTo(scene.sphere.centre[i], 4);
    }
  });
});

test("the example has less than 30 lines", async () => {
  expect((await Bun.file(example).text()).trimEnd().split("\n").length).toBeLessThan(30);
});

function publish(seconds: number): void {
  const { width, height } = model;
  const depth = new Uint16Array(width * height);
  renderDepth(model, cameraPoseAt("depth-longthrow", seconds), depth);
  writer ??= rings.writer(stream, { kind: "depth", dtype: "<u2", shape: [height, width], fields });
  const values = { pose: rigPoseAt(seconds), pose_valid: 1 };
  const bytes = new Uint8Array(depth.buffer);
  writer.publish(bytes, { fields: encodeFields(new Uint8Array(72), fields, values) });
}

async function fitsOf(file: string): Promise<Fits> {
  await run([python, example, file, stream, `http://127.0.0.1:${hub.port}`]);
  const { centre, radius } = scene.sphere;
  const numbers = [scene.wall.z, ...centre, radius, 0.01].map(String);
  return JSON.parse(await run([python, fit, file, ...numbers]));
}

async function run(command: string[]): Promise<string> {
  const env = { ...process.env, STREAMEM_PREFIX: rings.prefix, STREAMEM_DIR: rings.directory };
  const child = Bun.spawn(command, { env, stdout: "pipe", stderr: "pipe" });
  const [output, words] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(await child.exited, words).toBe(0);
  return output;
}
