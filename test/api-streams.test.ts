/**
 * To see these fail: in src/api/bodies.ts pass the descriptor without `withoutSecrets`, or a bigint as a
 * Number; in src/api/find.ts leave out `scan`; in src/api/streams.ts let one unreadable ring throw.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import { type StreamBody, streamListSchema, streamSchema } from "../src/api/schemas.ts";
import { TestApi } from "./api.ts";
import { camera, TestRings } from "./rings.ts";

const frame = new Uint8Array(4 * 6 * 3);
const list = "/api/v1/streams";
let api: TestApi;
let rings: TestRings;

beforeEach(() => {
  rings = new TestRings("api-streams");
  api = new TestApi(rings);
});

afterEach(() => api.close());

test("no streams", async () => {
  expect(await api.json(list)).toEqual({ streams: [] });
});

test("each stream is its descriptor with what the hub measures", async () => {
  const writer = rings.writer("cam", { ...camera, rate: 30, source: { kind: "test" } });
  for (let count = 0; count < 3; count++) writer.publish(frame);
  api.registry.scan();
  const body = await api.json<{ streams: StreamBody[] }>(list);
  expect(streamListSchema.parse(body)).toEqual(body);
  const [stream] = body.streams;
  expect(stream).toMatchObject({ ...writer.descriptor, sensor: null, state: "live" });
  expect(stream).toMatchObject({
    lastSequence: "3",
    counters: { frames: "3", generations: 1 },
    writer: { pid: process.pid, uid: process.getuid?.() ?? -1 },
    wakeMode: "futex",
  });
  expect(stream?.ageNs).toMatch(/^\d+$/);
  expect(stream?.measuredRate).toBeGreaterThan(0);
  expect(stream?.reservedBytes).toBe(Bun.file(rings.path("cam")).size);
});

test("before the first frame what is unknown is null", async () => {
  rings.writer("cam", camera);
  const stream = await api.json<StreamBody>(`${list}/cam`);
  expect(streamSchema.parse(stream)).toEqual(stream);
  const unknown = { measuredRate: null, bytesPerSecond: null, ageNs: null };
  expect(stream).toMatchObject({ ...unknown, lastSequence: "0" });
});

test("sequences beyond 2^53 stay whole", async () => {
  const vector = new URL("../clients/vectors/large-sequence.ring", import.meta.url);
  rings.foreign("big", await Bun.file(vector).bytes());
  const { lastSequence } = await api.json<StreamBody>(`${list}/big`);
  expect(lastSequence).toBe((2n ** 53n + 1n).toString());
});

test("a stream is found at once, however long the next scan may take", async () => {
  rings.writer("new", camera);
  expect((await api.json<StreamBody>(`${list}/new`)).name).toBe("new");
});

test("a successor is shown at once, and counted", async () => {
  const writer = rings.writer("cam", camera);
  writer.publish(frame);
  await api.json(`${list}/cam`);
  writer.renew({ ...camera, shape: [2, 2, 3] });
  const stream = await api.json<StreamBody>(`${list}/cam`);
  expect(stream.shape).toEqual([2, 2, 3]);
  expect(stream.shm.generation).toBe(writer.generation);
  expect(stream.counters).toEqual({ frames: "1", generations: 2 });
});

test("an unknown name is told the known ones", async () => {
  rings.writer("a", camera);
  rings.writer("b", camera);
  const problem = await api.problem(`${list}/cam`, 404);
  expect(problem.detail).toContain("a, b");
  expect(problem).toMatchObject({
    type: "urn:streamem:problem:unknown-stream",
    streams: ["a", "b"],
  });
});

test.each(["..", "%2e%2e", "a%2fb", "%00", "A", "a".repeat(300)])(
  "%p is no stream",
  async (name) => {
    expect([404, 400]).toContain((await api.fetch(`${list}/${name}`)).status);
  },
);

test("passwords of a careless producer are not shown", async () => {
  const source = {
    address: "rtsp://admin:hunter2@cam/1?token=hunter3",
    deep: ["http://u:hunter4@x"],
  };
  rings.writer("cam", { ...camera, source });
  for (const path of [list, `${list}/cam`]) {
    expect(await (await api.fetch(path)).text()).not.toContain("hunter");
  }
});

test("a ring cut short does not keep the others from being listed", async () => {
  rings.writer("whole", camera);
  rings.foreign("cut", new Uint8Array(await Bun.file(rings.path("whole")).arrayBuffer()));
  api.registry.scan();
  truncateSync(rings.path("cut"), 100);
  const { streams } = await api.json<{ streams: StreamBody[] }>(list);
  expect(streams.map(({ name }) => name)).toEqual(["whole"]);
  await api.problem(`${list}/cut`, 404);
});

test("a killed writer's stream is dead, and keeps its last frame", async () => {
  const child = await rings.producer("cam", camera);
  expect(await api.json(`${list}/cam`)).toMatchObject({ state: "live" });
  child.kill("SIGKILL");
  await child.exited;
  expect(await api.json(`${list}/cam`)).toMatchObject({ state: "dead" });
  expect((await api.fetch(`${list}/cam/latest.png`)).status).toBe(200);
});
