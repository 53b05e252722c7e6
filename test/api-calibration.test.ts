/**
 * Calibrations that a real process has told (fixtures/team.ts). To see these fail: in src/api/json.ts pass
 * a bigint on, in src/api/calibration.ts take the ETag from the stream's name.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { StreamBody } from "../src/api/schemas.ts";
import { TestApi } from "./api.ts";
import { TestRings, until } from "./rings.ts";

const kindsModule = new URL("./fixtures/team.ts", import.meta.url).pathname;
const path = "/api/v1/streams/s/calibration";
let api: TestApi;

beforeAll(async () => {
  const sensors = [
    { kind: "single", name: "s" },
    { kind: "team", name: "many", parts: ["device", "left"] },
    { kind: "careless", name: "cam" },
  ];
  api = new TestApi(new TestRings("api-calibration"), sensors, { kindsModule });
  await Promise.all([api.supervisor.start("s"), api.supervisor.start("many")]);
  await until(() => api.supervisor.calibration("s") && api.supervisor.calibration("many.left"));
});

afterAll(() => api.close());

test("the document, with what JSON cannot carry as text or null", async () => {
  expect(await api.json(path)).toEqual({
    stream: "s",
    sensor: "s",
    fx: 500.25,
    skew: null,
    far: null,
    ticks: "1152921504606846976",
    tables: { undistort: { dtype: "<f4", shape: [2, 3], href: `${path}/undistort.npy` } },
  });
});

test("of a part, by its own stream", async () => {
  expect(await api.json("/api/v1/streams/many.left/calibration")).toEqual({
    stream: "many.left",
    sensor: "many",
    of: "left",
    nothing: null,
    ticks: "1152921504606846976",
    tables: {},
  });
});

describe("a table", () => {
  test("is a NumPy file", async () => {
    const response = await api.fetch(`${path}/undistort.npy`);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    const npy = await response.bytes();
    expect([...npy.subarray(0, 8)]).toEqual([0x93, ...Buffer.from("NUMPY"), 1, 0]);
    const end = 10 + (npy[8] as number) + 256 * (npy[9] as number);
    const header = Buffer.from(npy.subarray(10, end)).toString("latin1");
    expect(header).toStartWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect([...new Float32Array(npy.slice(end).buffer)]).toEqual([1.5, -2, 0, 3, 4, 5]);
  });

  test("is not sent twice, also by the sensor's next process", async () => {
    const etag = (await api.fetch(`${path}/undistort.npy`)).headers.get("etag") as string;
    const asked = { headers: { "If-None-Match": etag } };
    expect((await api.fetch(`${path}/undistort.npy`, asked)).status).toBe(304);
    const before = api.supervisor.calibration("s");
    await api.supervisor.restart("s");
    await until(() => api.supervisor.calibration("s") !== before);
    expect((await api.fetch(`${path}/undistort.npy`, asked)).status).toBe(304);
  });

  test.each(["nothing.npy", "constructor.npy", ".npy.npy"])("%s is none", async (file) => {
    const { detail } = await api.problem(`${path}/${file}`, 404);
    expect(detail).toContain("there are undistort");
  });
});

test("streams say whether they have one", async () => {
  const links = async (name: string) =>
    (await api.json<StreamBody>(`/api/v1/streams/${name}`)).links.calibration;
  expect(await links("s")).toBe(path);
  const foreign = api.rings.writer("foreign", { kind: "tensor", dtype: "|u1", shape: [4] });
  expect(await links("foreign")).toBeNull();
  const none = await api.problem("/api/v1/streams/foreign/calibration", 404);
  expect(none.detail).toContain('Stream "foreign" has no calibration');
  foreign.close();
  const unknown = await api.problem("/api/v1/streams/nobody/calibration", 404);
  expect(unknown.detail).toContain('no stream "nobody"');
});

test("one that is no calibration is the kind's fault, in words", async () => {
  await api.supervisor.start("cam");
  const { lastError } = await until(() => {
    const status = api.supervisor.get("cam");
    return status?.lastError ? status : null;
  });
  expect(lastError?.words).toContain('table "map" of <f4 [2] needs 8 B, not 7');
});
