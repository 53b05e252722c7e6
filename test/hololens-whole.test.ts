/**
 * The example with every stream of a headset, run as the README says: simulator, hub, and a Python program
 * with nothing but the client's one file (and NumPy) that reads a frame of each.
 *
 * To see it fail: leave a stream out of streams/families.ts, or a field out of streams/video-receiver.ts.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestRings } from "./rings.ts";

const python = Bun.which("python3") ?? "python3";
const hasNumpy = Bun.spawnSync([python, "-c", "import numpy"]).success;
const root = join(import.meta.dir, "..");
const example = join(root, "examples/hololens-simulated.yaml");
const reader = join(import.meta.dir, "fixtures/read-streams.py");
const client = join(root, "clients/python/streamem.py");
const ports = 12_100;
const hangMs = 180_000; // only so that a run that hangs is ended

const pose = ["pose", "pose_valid"];
const grey = {
  dtype: "|u1",
  shape: [480, 640],
  own: [...pose, "sensor_ticks", "exposure", "gain"],
};
const depth = (...shape: number[]) => ({ dtype: "<u2", shape, own: [...pose, "sensor_ticks"] });
const camera = [
  ...pose,
  ...["key_frame", "focal_length", "principal_point", "exposure_time", "exposure_compensation"],
  ...["lens_position", "focus_state", "iso_speed", "white_balance", "iso_gains"],
  "white_balance_gains",
];
const motion = {
  dtype: [
    ["sensor_ticks", "<u8"],
    ["soc_ticks", "<u8"],
    ["xyz", "<f4", [3]],
    ["temperature", "<f4"],
  ],
  own: [...pose, "packet_time"],
};
const sound = { dtype: "<f4", shape: [2, 1024], own: [] };

interface Expected {
  dtype: unknown;
  /** Not where it changes from frame to frame. */
  shape?: number[];
  /** Fields besides the arrival. */
  own: string[];
}

const expected: Record<string, Expected> = {
  pv: { dtype: "|u1", shape: [720, 1280, 3], own: camera },
  "vlc-leftfront": grey,
  "vlc-leftleft": grey,
  "vlc-rightfront": grey,
  "vlc-rightright": grey,
  "depth-longthrow": depth(288, 320),
  "depth-longthrow.ab": depth(288, 320),
  "depth-ahat": depth(512, 512),
  "depth-ahat.ab": depth(512, 512),
  accelerometer: motion,
  gyroscope: motion,
  magnetometer: motion,
  microphone: sound,
  "extended-audio": sound,
  "spatial-input": {
    dtype: expect.arrayContaining([
      ["head_position", "<f4", [3]],
      ["eye_direction", "<f4", [3]],
      ["hand_left_orientation", "<f4", [26, 4]],
      ["hand_right_position", "<f4", [26, 3]],
    ]),
    shape: [],
    own: ["valid", "head_valid", "eye_valid", "hand_left_valid", "hand_right_valid"],
  },
  "eye-tracker": {
    dtype: expect.arrayContaining([
      ["combined_direction", "<f4", [3]],
      ["left_origin", "<f4", [3]],
      ["vergence_distance", "<f4"],
    ]),
    shape: [],
    own: expect.arrayContaining([...pose, "valid", "combined_valid"]) as unknown as string[],
  },
  // Of other cameras the device says nothing more.
  "extended-video": { dtype: "|u1", shape: [480, 640, 3], own: [...pose, "key_frame"] },
  "extended-depth": { dtype: "<u2", shape: [480, 640], own: pose },
};

interface Seen {
  name: string;
  dtype: unknown;
  shape: number[];
  fields: string[];
  device_time: number;
  age_ns: number;
  error_ns: number;
}

describe.skipIf(!hasNumpy)("the example with a whole headset", () => {
  const rings = new TestRings("whole");
  afterAll(() => rings.close());

  test(
    "gives every stream to Python, with dtype, shape, fields and times",
    async () => {
      const config = join(rings.directory, "hub.yaml");
      const text = readFileSync(example, "utf8");
      writeFileSync(config, text.replace("host: 127.0.0.1", `$&\n    ports: ${ports}`));
      const simulator = start(rings, ["simulate", "hololens", "--ports", `${ports}`]);
      const hub = start(rings, ["hub", "--port", "0", "--config", config]);
      try {
        const seen = await framesOf(rings, Object.keys(expected));
        expect(seen.map(({ name }) => name)).toEqual(Object.keys(expected).map((s) => `hl.${s}`));
        for (const frame of seen) holdToTable(frame);
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

function holdToTable(seen: Seen): void {
  const { dtype, shape, own } = expected[seen.name.slice("hl.".length)] as Expected;
  const fields = Array.isArray(own) ? ["arrival_time_ns", ...own].sort() : own;
  expect(seen, seen.name).toMatchObject({ dtype, fields } as object);
  if (shape) expect(seen.shape, seen.name).toEqual(shape);
  else expect(seen.shape, seen.name).toHaveLength(1);
  expect(seen.device_time, seen.name).toBeGreaterThan(0);
  // Of this machine's clock: a frame of an hour ago or of the future would be one that is not mapped.
  expect(seen.age_ns, seen.name).toBeGreaterThan(0);
  expect(seen.age_ns, seen.name).toBeLessThan(60e9);
  expect(seen.error_ns, seen.name).toBeGreaterThan(0);
}

async function framesOf(rings: TestRings, streams: string[]): Promise<Seen[]> {
  const names = streams.map((name) => `hl.${name}`);
  const child = Bun.spawn([python, reader, client, ...names], {
    env: rings.environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = (await new Response(child.stdout).text()).trimEnd().split("\n");
  expect(await child.exited).toBe(0);
  return lines.map((line) => JSON.parse(line) as Seen);
}

function start(rings: TestRings, words: string[]) {
  return Bun.spawn([process.execPath, join(root, "src/main.ts"), ...words], {
    env: rings.environment,
    stdio: ["ignore", "ignore", "ignore"],
  });
}
