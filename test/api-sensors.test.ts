/**
 * To see these fail: in src/api/sensors.ts leave out `known`, or call another action; in
 * src/api/bodies.ts pass a clock's bigint on (JSON cannot carry it), or name no sensor for a stream.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ClockState } from "../sensors/sensor.ts";
import { sensorBody } from "../src/api/bodies.ts";
import { type SensorBody, type StreamBody, sensorSchema } from "../src/api/schemas.ts";
import { smallCamera, TestApi } from "./api.ts";
import { TestRings, until } from "./rings.ts";

const path = "/api/v1/sensors";
const post = { method: "POST", headers: { "Content-Type": "application/json" } };
let api: TestApi;

beforeAll(() => {
  api = new TestApi(new TestRings("api-sensors"), [smallCamera]);
});

afterAll(() => api.close());

async function act(action: "start" | "stop" | "restart"): Promise<SensorBody> {
  const response = await api.fetch(`${path}/cam/${action}`, post);
  expect(response.status).toBe(200);
  const body = await response.json();
  expect(sensorSchema.parse(body)).toEqual(body as SensorBody);
  return body as SensorBody;
}

const running = () =>
  until(async () => {
    const sensor = await api.json<SensorBody>(`${path}/cam`);
    return sensor.state === "running" && sensor;
  });

test("a configured sensor is listed before it runs", async () => {
  const { sensors } = await api.json<{ sensors: SensorBody[] }>(path);
  expect(sensors).toMatchObject([{ name: "cam", kind: "rand-camera", pid: null, lastError: null }]);
});

test("start, restart and stop a real one", async () => {
  await act("start");
  const first = await running();
  expect(first.pid).toBeGreaterThan(0);
  const stream = await until(async () => {
    const response = await api.fetch("/api/v1/streams/cam");
    return response.ok && ((await response.json()) as StreamBody);
  });
  expect(stream).toMatchObject({ sensor: "cam", kind: "video", shape: [8, 16, 3] });

  expect((await act("start")).pid).toBe(first.pid);
  await act("restart");
  const second = await running();
  expect(second.pid).not.toBe(first.pid);

  expect(await act("stop")).toMatchObject({ state: "stopped", pid: null });
  await api.problem("/api/v1/streams/cam", 404);
});

test("an unknown sensor is told the configured ones", async () => {
  for (const [where, init] of [
    [`${path}/mic`, {}],
    [`${path}/mic/start`, post],
    [`${path}/mic/stop`, post],
    [`${path}/mic/restart`, post],
  ] as const) {
    const { detail } = await api.problem(where, 404, init);
    expect(detail).toContain("configured are cam");
  }
});

test("a clock's 64-bit numbers are text, unknown ones null; parts are shown as they are", () => {
  const clock: ClockState = {
    method: "probe",
    offsetNs: -(2n ** 60n),
    errorNs: null,
    ratePpm: 1.5,
    roundTripNs: 7n,
    probes: 3,
    probedNs: 1n,
    epoch: 1,
  };
  const status = api.supervisor.list()[0];
  if (!status) throw new Error("no sensor");
  const parts = [{ ...status, name: "left" }].map(
    ({ kind: _, clock: __, parts: ___, ...part }) => part,
  );
  const body = sensorBody({ ...status, clock, parts });
  expect(sensorSchema.parse(body)).toEqual(body);
  expect(body.clock).toMatchObject({ offsetNs: "-1152921504606846976", errorNs: null });
  expect(body.clock).toMatchObject({ probedNs: "1", probeAgeNs: expect.stringMatching(/^\d+$/) });
});
