/**
 * The example in Python makes a wall and a sphere of a depth frame, its pose and its calibration: rendered
 * here, and all the way from a simulated headset through the hub.
 *
 * To see it fail: in examples/hololens_points.py take the extrinsics without `inv`, or leave out the
 * division by the norm (depth as z).
 */
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { writeFileSync } from "node:fs";
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
import { linesOf } from "./ring-programs.ts";
import { TestRings, until } from "./rings.ts";

const python = Bun.which("python3") ?? "python3";
const hasNumpy = Bun.spawnSync([python, "-c", "import numpy"]).success;
const example = join(import.meta.dir, "../examples/hololens_points.py");
const fit = join(import.meta.dir, "fixtures/fit-points.py");
const main = join(import.meta.dir, "../src/main.ts");
/** Below the ports that connections are given at random, one of which could be in the way. */
const ports = 12_000;
const hangMs = 120_000; // only so that a run that hangs is ended

interface Fit {
  points: number;
  /** Metres. */
  rms: number;
  max: number;
}

interface Fits {
  points: number;
  dtype: string;
  plane: Fit & { normal: number[]; z: number };
  sphere: Fit & { centre: number[]; radius: number };
}

const stream = "hl.depth-longthrow";
const model = cameraModels["depth-longthrow"];

describe.skipIf(!hasNumpy)("a frame that was rendered here", () => {
  const rings = new TestRings("points");
  const api = new TestApi(rings);
  const fields = layOutFields([
    { name: "pose", dtype: "<f4", shape: [4, 4] },
    { name: "pose_valid", dtype: "|u1" },
  ]);
  let writer: RingWriter;
  let hub: ReturnType<typeof Bun.serve>;

  beforeAll(() => {
    const bytes = calibrationBytes("depth-longthrow");
    const calibration = calibrationOf("depth-longthrow", bytes, { from: "device" });
    spyOn(api.supervisor, "calibration").mockReturnValue(calibration);
    const fetch = (request: Request, server: unknown) => api.app.fetch(request, { server });
    hub = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
    const shape = [model.height, model.width];
    writer = rings.writer(stream, { kind: "depth", dtype: "<u2", shape, fields });
  });

  afterAll(async () => {
    await hub.stop(true);
    await api.close();
  });

  test.each([0.4, 2.6])("%f s after the beginning", async (seconds) => {
    const depth = new Uint16Array(model.width * model.height);
    renderDepth(model, cameraPoseAt("depth-longthrow", seconds), depth);
    const values = { pose: rigPoseAt(seconds), pose_valid: 1 };
    const meta = { fields: encodeFields(new Uint8Array(72), fields, values) };
    writer.publish(new Uint8Array(depth.buffer), meta);
    holdToScene(await fitsOf(rings, `http://127.0.0.1:${hub.port}`));
  });
});

describe.skipIf(!hasNumpy)("a simulated headset, received by the hub", () => {
  const rings = new TestRings("points-hub");
  afterAll(() => rings.close());

  test(
    "stands in a room with a wall and a sphere",
    async () => {
      const config = join(rings.directory, "hub.yaml");
      const sensor = `kind: hololens, name: hl, host: 127.0.0.1, ports: ${ports}, streams: [depth-longthrow]`;
      writeFileSync(config, `sensors: [{ ${sensor} }]`);
      const simulator = start(rings, ["simulate", "hololens", "--json", "--ports", `${ports}`]);
      const hub = start(rings, ["hub", "--json", "--port", "0", "--config", config]);
      try {
        expect(await firstLine(simulator)).toContain("listening");
        const { url } = JSON.parse(await firstLine(hub)) as { url: string };
        const calibration = `${url}/api/v1/streams/${stream}/calibration`;
        await until(async () => (await fetch(calibration)).ok && rings.exists(stream));
        holdToScene(await fitsOf(rings, url));
      } finally {
        hub.kill("SIGTERM");
        expect(await hub.exited).toBe(0);
        simulator.kill("SIGTERM");
        expect(await simulator.exited).toBe(0);
      }
    },
    hangMs,
  );
});

test("the example has less than 30 lines", async () => {
  expect((await Bun.file(example).text()).trimEnd().split("\n").length).toBeLessThan(30);
});

function holdToScene({ plane, sphere, ...all }: Fits): void {
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
}

async function fitsOf(rings: TestRings, url: string): Promise<Fits> {
  const file = join(rings.directory, "points.npy");
  await output(rings, [python, example, file, stream, url]);
  const { centre, radius } = scene.sphere;
  const numbers = [scene.wall.z, ...centre, radius, 0.01].map(String);
  return JSON.parse(await output(rings, [python, fit, file, ...numbers])) as Fits;
}

async function output(rings: TestRings, command: string[]): Promise<string> {
  const child = Bun.spawn(command, {
    env: rings.environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [told, words] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(await child.exited, words).toBe(0);
  return told;
}

function start(rings: TestRings, words: string[]) {
  return Bun.spawn([process.execPath, main, ...words], {
    env: rings.environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

async function firstLine(child: ReturnType<typeof start>): Promise<string> {
  const { value } = await linesOf(child.stdout).next(); // not ended: the child would be when it says more
  return value ?? "";
}
