/** Latency by hop: from what a frame says of its times to the API, /metrics and `streamem top`. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { unknownTime } from "../src/ring/layout.ts";
import { hopsOf } from "../src/streams/hops.ts";
import { streamem } from "./cli.ts";
import { LiveRig } from "./live-rig.ts";
import { camera, until } from "./rings.ts";

const rig = new LiveRig("hops");
const { rings } = rig;
afterAll(() => rig.close());

const arrivals: StreamSpec = {
  ...camera,
  fields: [{ name: "arrival_time_ns", dtype: "<u8", offset: 0, unit: "ns" }],
};
const picture = new Uint8Array(4 * 6 * 3);
const ms = 1_000_000n;
/** In JSON, by stream. */
let bodies: Record<string, { latency: Record<string, string | null> | null }>;

function field(timeNs: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(timeNs);
  return bytes;
}

beforeAll(async () => {
  const now = monotonicNs();
  const captured = { captureTimeNs: now - 50n * ms, timeErrorNs: 2n * ms };
  const publish = (
    name: string,
    spec: StreamSpec,
    ...meta: Parameters<typeof whole.publish>[1][]
  ) => {
    const writer = rings.writer(name, spec);
    for (const one of meta) writer.publish(picture, one);
  };
  const whole = rings.writer("whole", arrivals);
  whole.publish(picture, { ...captured, fields: field(now - 20n * ms) });
  publish("local", camera, captured);
  publish("unknown", arrivals, { fields: field(unknownTime) });
  publish("empty", camera);
  rig.api.registry.scan();
  const { streams } = await rig.api.json<{ streams: { name: string; latency: null }[] }>(
    "/api/v1/streams",
  );
  bodies = Object.fromEntries(streams.map((stream) => [stream.name, stream]));
});

const asMs = (ns: string | null | undefined) => (ns == null ? ns : Number(ns) / 1e6);

// To see it fail: let arrivalTimeNs() take all ones for a time, or hopsOf() leave the arrival out.
test("the API says each hop that is known, and null for the others", () => {
  const whole = bodies.whole?.latency;
  expect(asMs(whole?.captureToArrivalNs)).toBe(30);
  expect(asMs(whole?.captureErrorNs)).toBe(2);
  expect(asMs(whole?.arrivalToPublishNs)).toBeGreaterThanOrEqual(20);
  const sum = BigInt(whole?.captureToArrivalNs ?? 0) + BigInt(whole?.arrivalToPublishNs ?? 0);
  expect(whole?.captureToPublishNs).toBe(String(sum));
  expect(bodies.local?.latency).toMatchObject({
    captureToArrivalNs: null,
    arrivalToPublishNs: null,
  });
  expect(asMs(bodies.local?.latency?.captureToPublishNs)).toBeGreaterThanOrEqual(50);
  const nothing = { captureToArrivalNs: null, arrivalToPublishNs: null, captureToPublishNs: null };
  expect(bodies.unknown?.latency).toEqual({ ...nothing, captureErrorNs: null });
  expect(bodies.empty?.latency).toBeNull();
});

test("/metrics says the same in seconds, and nothing of what is not known", async () => {
  const hop = (stream: string, name: string) =>
    rig.metric(`streamem_stream_latency_seconds{stream="${stream}",hop="${name}"}`);
  expect(await hop("whole", "capture-arrival")).toBeCloseTo(0.03, 6);
  expect(await hop("whole", "arrival-publish")).toBeGreaterThanOrEqual(0.02);
  expect(await hop("local", "capture-publish")).toBeGreaterThanOrEqual(0.05);
  expect(await hop("local", "capture-arrival")).toBeNaN();
  expect(await rig.metric('streamem_stream_capture_error_seconds{stream="whole"}')).toBe(0.002);
});

test("top has a column for each", async () => {
  const { stdout } = await streamem(["top", "--once", "--prefix", rings.prefix]);
  const row = (name: string) => stdout.split("\n").find((line) => line.startsWith(`${name} `));
  expect(row("whole")).toMatch(/ 30 ms ±2 ms +\+[\d.]+ m?s /);
  expect(row("local")).toMatch(/ [\d.]+ m?s ±2 ms /);
});

test("a live frame carries them, unknown ones as null", async () => {
  const known = await rig.look("whole");
  const unknown = await rig.look("unknown");
  const frame = await until(() => known.frames[0]);
  expect((frame.arrivalTimeNs ?? 0n) - (frame.captureTimeNs ?? 0n)).toBe(30n * ms);
  expect((await until(() => unknown.frames[0])).arrivalTimeNs).toBeNull();
});

test("a frame whose capture is not known has an arrival all the same", () => {
  const header = { captureTimeNs: null, timeErrorNs: 5n, publishTimeNs: 90n } as never;
  expect(hopsOf({ header, fields: { arrival_time_ns: 70n } })).toEqual({
    captureToArrivalNs: null,
    arrivalToPublishNs: 20n,
    captureToPublishNs: null,
    captureErrorNs: null,
  });
});
