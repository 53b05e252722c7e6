import { afterEach, expect, test } from "bun:test";
import { logFor, startLog } from "../src/log/log.ts";
import { redact } from "../src/log/redact.ts";

let end = async () => {};
afterEach(() => end());

async function jsonLog() {
  const lines: string[] = [];
  end = await startLog({ json: true, level: "debug", write: (text) => lines.push(text) });
  return () => lines.map((line) => JSON.parse(line));
}

test("words and properties arrive, braces mean nothing", async () => {
  const lines = await jsonLog();
  logFor("sensor", "cam").info("a {b} c", { seq: 5n });
  expect(lines()).toMatchObject([
    { level: "INFO", message: "a {b} c", logger: "sensor.cam", properties: { seq: "5" } },
  ]);
});

// To see it fail: return the record as it is in hidden().
test("no password reaches the log, in words, in properties, in the stack of an error", async () => {
  const lines = await jsonLog();
  const url = "rtsp://admin:hunter2@10.0.0.7/h264";
  logFor("x").error(`cannot open ${url}`, { url, deep: [{ url }], error: new Error(url) });
  const text = JSON.stringify(lines());
  expect(text).toContain("rtsp://***@10.0.0.7/h264");
  expect(text).not.toContain("hunter2");
});

test("passwords in many places", () => {
  const cases: [string, string][] = [
    ["rtsp://u:p@ss/w@host/x?token=abc&n=1", "rtsp://***@host/x?token=***&n=1"],
    [
      "rtsp://host/user=admin&password=geheim&channel=1.sdp",
      "rtsp://host/user=admin&password=***&channel=1.sdp",
    ],
    ["rtsp://host/password=geheim", "rtsp://host/password=***"],
    ["nothing to hide: http://host/a?b=c", "nothing to hide: http://host/a?b=c"],
  ];
  for (const [text, hidden] of cases) expect(redact(text)).toBe(hidden);
});

// To see it fail: give every record to the sink in countRepeats().
test("the same error is written once and then counted, others are not held back", async () => {
  const lines = await jsonLog();
  const log = logFor("sensor", "cam");
  for (let pid = 1; pid <= 50; pid++) log.error(`crashed, pid ${pid}`);
  log.error("something else");
  logFor("sensor", "other").error("crashed, pid 51");
  for (let i = 0; i < 3; i++) log.info("not an error");
  expect(lines().map((line) => line.message)).toEqual([
    "crashed, pid 1",
    "something else",
    "crashed, pid 51",
    "not an error",
    "not an error",
    "not an error",
  ]);
  await end();
  expect(lines().at(-1)).toMatchObject({
    message: "crashed, pid 50 (49 times)",
    properties: { count: 49 },
  });
});
