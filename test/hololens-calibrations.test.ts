/**
 * Calibrations: fetched once, kept for another time, said to be from the cache when they are.
 *
 * To see it fail: leave `origin` out of `calibrationOf`, or give both planes of a table one after the other.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachedCalibration, keepCalibration } from "../sensors/hololens/calibration/cache.ts";
import { calibrationOf } from "../sensors/hololens/calibration/document.ts";
import type { CalibratedStream } from "../sensors/hololens/calibration/fetch.ts";
import { type Simulator, startSimulator } from "../sensors/hololens/simulator/server.ts";
import { calibrations } from "../sensors/hololens/wire/calibration.ts";
import type { StreamName } from "../sensors/hololens/wire/ports.ts";
import { type Part, TestHeadset, useOwnCache } from "./hololens-client.ts";
import { until } from "./rings.ts";

const caches = useOwnCache();
const folder = join(caches, "streamem/calibration/127_0_0_1");
const ports = 20_700;
let headset: TestHeadset | null = null;
let simulator: Simulator | null = null;

afterEach(async () => {
  await headset?.close();
  await simulator?.close();
  headset = null;
  simulator = null;
});

/** Float i has the value i. */
function ramp(stream: CalibratedStream): Uint8Array {
  const { bytes } = calibrations[stream];
  return new Uint8Array(Float32Array.from({ length: bytes / 4 }, (_, i) => i).buffer);
}

describe("documents and tables", () => {
  const device = { from: "device" } as const;
  const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
  const first = (from: number) =>
    [0, 4, 8, 12].map((row) => [0, 1, 2, 3].map((i) => from + row + i));

  const sizes: [CalibratedStream, number, number, object][] = [
    ["vlc-leftleft", 480, 640, {}],
    ["depth-ahat", 512, 512, { scale: 524_304, alias: 524_305 }],
    ["depth-longthrow", 288, 320, { scale: 184_336 }],
  ];
  test.each(sizes)("%s", (stream, height, width, own) => {
    const pixels = width * height;
    const { document, tables } = calibrationOf(stream, ramp(stream), device);
    const extras = Object.keys(own).length;
    expect(document).toMatchObject({ from: "device", extrinsics: first(2 * pixels), ...own });
    const fx = 4 * pixels + 16 + extras;
    expect(document.intrinsics).toMatchObject({ fx, fy: fx + 1, cx: fx + 2, cy: fx + 3 });
    const { uv2xy, undistort_map } = tables;
    expect(uv2xy).toMatchObject({ dtype: "<f4", shape: [height, width, 2] });
    const pairs = floats(uv2xy?.data as Uint8Array);
    expect([...pairs.subarray(0, 4)]).toEqual([0, pixels, 1, pixels + 1]);
    const map = floats(undistort_map?.data as Uint8Array);
    const maps = 2 * pixels + 16 + extras;
    expect([...map.subarray(-2)]).toEqual([maps + pixels - 1, maps + 2 * pixels - 1]);
    expect(document.conventions).toMatchObject({ uv2xy: expect.any(String) });
    if (stream.startsWith("depth")) expect(JSON.stringify(document)).toContain("along the ray");
  });

  test("the colour camera, and an IMU", () => {
    const pv = calibrationOf("pv", ramp("pv"), device);
    expect(pv.tables).toEqual({});
    expect(pv.document).toMatchObject({
      focalLength: [0, 1],
      distortion: { k1: 4, k2: 5, k3: 6, p1: 7, p2: 8 },
      extrinsics: first(25),
      mediaFoundation: { position: [45, 46, 47], rotation: [48, 49, 50, 51] },
    });
    const imu = calibrationOf("gyroscope", ramp("gyroscope"), device);
    expect(imu).toMatchObject({ document: { extrinsics: first(0) }, tables: {} });
  });

  test("from the cache: said so, with the time", () => {
    const fetched = new Date("2026-01-02T03:04:05Z");
    const { document } = calibrationOf("gyroscope", ramp("gyroscope"), { from: "cache", fetched });
    expect(document).toMatchObject({ from: "cache", fetched: "2026-01-02T03:04:05.000Z" });
  });
});

describe("the cache", () => {
  test("for this user alone, and only of the right size", async () => {
    const key = { host: "a/../../b", stream: "gyroscope" } as const;
    const bytes = ramp("gyroscope");
    await keepCalibration(key, bytes);
    const [name] = readdirSync(join(caches, "streamem/calibration"));
    const kept = join(caches, "streamem/calibration", name as string);
    expect(name).toBe("a%2F__%2F__%2Fb");
    expect(statSync(kept).mode & 0o777).toBe(0o700);
    expect(statSync(join(kept, "gyroscope.bin")).mode & 0o777).toBe(0o600);
    expect(readdirSync(kept)).toEqual(["gyroscope.bin"]);
    expect((await cachedCalibration(key, bytes.byteLength))?.bytes).toEqual(bytes);
    writeFileSync(join(kept, "gyroscope.bin"), "short");
    expect(await cachedCalibration(key, bytes.byteLength)).toBeNull();
  });
});

describe("a headset", () => {
  async function receive(stream: StreamName): Promise<Part> {
    simulator ??= await startSimulator({ ports, streams: [stream, "remote-configuration"] });
    headset = new TestHeadset("calibration", { ports, streams: [stream] });
    headset.device();
    return headset.stream(stream);
  }
  const document = (part: Part) => until(() => part.calibrations.get(`hl.${part.name}`)?.document);

  test("gives it, and it is kept; one that gives none has that of before", async () => {
    const first = await receive("gyroscope");
    const given = await document(first);
    expect(given.from).toBe("device");
    await until(() => existsSync(join(folder, "gyroscope.bin")));
    await headset?.close();

    // One that answers mode 2 as the magnetometer's port does: with nothing.
    await simulator?.close();
    simulator = await startSimulator({ ports, streams: ["remote-configuration"] });
    const silent = Bun.listen({
      hostname: "127.0.0.1",
      port: ports + 3807,
      socket: { data: (socket) => void socket.end() },
    });
    try {
      const second = await receive("gyroscope");
      const cached = await document(second);
      expect(cached).toMatchObject({ from: "cache", extrinsics: given.extrinsics });
      expect(second.log.join()).toMatch(/gives no calibration; that of 20.* is offered/);
    } finally {
      silent.stop(true);
    }
  });

  test("a cache that cannot be written stops nothing", async () => {
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(folder, "in the way");
    const part = await receive("gyroscope");
    expect((await document(part)).from).toBe("device");
    await until(() => part.log.some((line) => line.includes("cannot be kept for another time")));
    await until(() => part.states.at(-1)?.state === "running");
    rmSync(folder);
  });

  test("the magnetometer has none, and is not asked", async () => {
    const part = await receive("magnetometer");
    await until(() => part.states.at(-1)?.state === "running");
    expect(part.calibrations.size).toBe(0);
    expect(simulator?.connections("magnetometer").served).toBe(1);
  });
});
