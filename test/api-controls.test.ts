/**
 * A real process with controls (fixtures/team.ts), asked through the API. To see these fail: in
 * src/supervisor/control-calls.ts take out the timer, or call no `abandon` when a process ends.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { smallCamera, TestApi } from "./api.ts";
import { TestRings, until } from "./rings.ts";

const path = "/api/v1/sensors/s/controls";
const json = { "Content-Type": "application/json" };
const setting = (body: unknown) => ({ method: "POST", headers: json, body: JSON.stringify(body) });

let api: TestApi;
const kindsModule = new URL("./fixtures/team.ts", import.meta.url).pathname;

/** As long as the process may be without CPU: only one test is about an answer that does not come. */
const patientMs = 1e6;

function apiOf(label: string, answerMs: number): TestApi {
  const timing = { answerMs };
  return new TestApi(new TestRings(label), [{ kind: "single", name: "s" }], {
    kindsModule,
    timing,
  });
}

beforeAll(() => {
  api = apiOf("api-controls", patientMs);
});

afterAll(() => api.close());

const running = () => until(() => api.supervisor.get("s")?.state === "running");

async function set(values: unknown) {
  const response = await api.fetch(path, setting(values));
  expect(response.status).toBe(200);
  return response.json();
}

test("before it runs nobody can tell", async () => {
  const { detail, response } = await api.problem(path, 503);
  expect(detail).toContain('Sensor "s" does not run now (stopped)');
  expect(response.headers.get("retry-after")).toBe("1");
});

describe("while it runs", () => {
  beforeAll(async () => {
    await api.supervisor.start("s");
    await running();
  });

  test("it shows what may be set and what is, 64-bit integers whole", async () => {
    expect(await api.json(path)).toEqual({
      schema: { type: "object", properties: { gain: { type: "integer", maximum: 20 } } },
      values: { gain: 1, ticks: "1152921504606846976" },
    });
  });

  test("what is set is answered, and stays", async () => {
    expect(await set({ gain: 7 })).toMatchObject({ values: { gain: 7 } });
    expect(await api.json(path)).toMatchObject({ values: { gain: 7 } });
  });

  test("what is not allowed is refused with what is", async () => {
    const { detail } = await api.problem(path, 422, setting({ gain: 21 }));
    expect(detail).toBe("gain is 21; allowed: at most 20");
  });

  test("a device that refuses now, and a fault of the kind itself, are no crash", async () => {
    const closed = await api.problem(path, 503, setting({ gain: 16 }));
    expect(closed.detail).toBe("The lens is closed now.");
    const failed = await api.problem(path, 503, setting({ gain: 15 }));
    expect(failed.detail).toBe("The controls failed: not foreseen");
    expect(api.supervisor.get("s")).toMatchObject({ state: "running", restarts: 0 });
  });

  test.each([[[1]], ["gain"], [null], [3]])("%p is no object", async (body) => {
    const { detail } = await api.problem(path, 400, setting(body));
    expect(detail).toContain("JSON object");
  });

  test("a body that is no JSON, of another type, or too large", async () => {
    await api.problem(path, 400, { method: "POST", headers: json, body: '{"gain":' });
    await api.problem(path, 415, { method: "POST", body: "gain=3" });
    await api.problem(path, 413, setting({ gain: "x".repeat(70_000) }));
  });
});

test("one that does not answer is given up, and asked again", async () => {
  await api.close();
  api = apiOf("api-controls-late", 300);
  await api.supervisor.start("s");
  await running();
  const { detail } = await api.problem(path, 503, setting({ gain: 13 }));
  expect(detail).toContain("has not answered for 0.3 s");
  // Each answer may be as late as that one, where its process gets no CPU.
  const answer = await until(async () => {
    const response = await api.fetch(path, setting({ gain: 2 }));
    return response.ok && response.json();
  });
  expect(answer).toMatchObject({ values: { gain: 2 } });
});

test("a process that dies in the middle is told at once, and its successor answers", async () => {
  await api.close();
  api = apiOf("api-controls-killed", patientMs);
  await api.supervisor.start("s");
  await running();
  const { detail } = await api.problem(path, 503, setting({ gain: 14 }));
  expect(detail).toContain("ended before it answered");
  await until(() => api.supervisor.get("s")?.restarts === 1);
  await running();
  expect(await api.json(path)).toMatchObject({ values: { gain: 1 } });
  await api.supervisor.stop("s");
  expect((await api.problem(path, 503)).detail).toContain("does not run now");
});

test("sensors without controls, and unknown ones", async () => {
  await api.close();
  api = new TestApi(new TestRings("api-controls-none"), [smallCamera]);
  await api.supervisor.start("cam");
  await until(() => api.supervisor.get("cam")?.state === "running");
  const none = "/api/v1/sensors/cam/controls";
  expect((await api.problem(none, 404)).detail).toContain('Sensor "cam" has no controls');
  await api.problem(none, 404, setting({ gain: 1 }));
  expect((await api.problem(path, 404)).detail).toContain("configured are cam");
});
