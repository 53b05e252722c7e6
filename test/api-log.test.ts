/** What a sensor has said, over the API. To see these fail: in src/supervisor/part-life.ts call no `logged`; in log-tail.ts keep all lines. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { SensorLogBody } from "../src/api/schemas.ts";
import { LogTail, logLinesMax } from "../src/supervisor/log-tail.ts";
import { TestApi } from "./api.ts";
import { TestRings, until } from "./rings.ts";

let api: TestApi;
const kindsModule = new URL("./fixtures/misbehaving.ts", import.meta.url).pathname;

beforeAll(() => {
  const sensors = [
    { kind: "talks", name: "talker" },
    { kind: "crash", name: "crasher" },
  ];
  api = new TestApi(new TestRings("api-log"), sensors, { kindsModule });
});

afterAll(() => api.close());

const logOf = async (name: string) =>
  (await api.json<SensorLogBody>(`/api/v1/sensors/${name}/log`)).lines;

test("its own words, with level and time", async () => {
  expect(await logOf("talker")).toEqual([]);
  await api.supervisor.start("talker");
  await until(async () => (await logOf("talker")).length > 0);
  const [line] = await logOf("talker");
  expect(line).toMatchObject({ level: "warn", part: "", words: "the battery is low" });
  expect(Date.now() - Date.parse(line?.at ?? "")).toBeLessThan(60_000);
});

test("what it printed before it died, and why it was started again", async () => {
  await api.supervisor.start("crasher");
  const words = await until(async () => {
    const lines = (await logOf("crasher")).map(({ level, words }) => `${level} ${words}`);
    return lines.some((line) => line.startsWith("error")) && lines.join("\n");
  });
  expect(words).toMatch(/output .*the lens fell off/);
  expect(words).toMatch(/error .*\n(?:.*\n)*.*starts again in 50 ms/);
});

test("an unknown sensor is named", async () => {
  const { detail } = await api.problem("/api/v1/sensors/nobody/log", 404);
  expect(detail).toContain("talker");
});

test("only the last lines are kept, passwords are hidden, long ones cut", () => {
  const tail = new LogTail();
  for (let count = 0; count <= logLinesMax; count++) {
    tail.add({
      level: "output",
      part: "",
      words: `${count} rtsp://u:secret@cam ${"x".repeat(5000)}`,
    });
  }
  expect(tail.lines.length).toBe(logLinesMax);
  expect(tail.lines[0]?.words).toStartWith("1 rtsp://");
  expect(tail.lines[0]?.words).not.toContain("secret");
  expect(tail.lines[0]?.words.length).toBeLessThan(2100);
});
