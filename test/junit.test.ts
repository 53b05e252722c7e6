import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addCounts, junitCounts, noCounts } from "./junit.ts";

const folder = mkdtempSync(join(tmpdir(), "streamem-junit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `bun test` for real on one file of this text. */
function countsOf(name: string, text: string) {
  const file = join(folder, `${name}.test.ts`);
  const report = join(folder, `${name}.xml`);
  writeFileSync(file, `import { describe, expect, test } from "bun:test";\n${text}`);
  const command = [process.execPath, "test", file, "--reporter=junit"];
  const done = Bun.spawnSync([...command, `--reporter-outfile=${report}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  return junitCounts(name, report, done.exitCode === 0 ? null : "ended badly");
}

test("what passed, failed and was skipped, by name", () => {
  const counts = countsOf(
    "mixed",
    `test("good", () => {});
     test.skip("left out", () => {});
     test.todo("not yet");
     describe("a <b> & 'c'", () => {
       function called() { expect(1).toBe(2); }
       test("d > e", () => { called(); });
       test("late", () => Bun.sleep(1000), 20);
     });`,
  );
  expect(counts).toEqual({
    passed: 1,
    failed: [
      "mixed: a <b> & 'c' > d > e: expect(received).toBe(expected) Expected: 2 Received: 1 (mixed.test.ts:6 < mixed.test.ts:7)",
      "mixed: a <b> & 'c' > late: test timed out",
    ],
    skipped: ["mixed: left out", "mixed: not yet"],
  });
});

test("a file that cannot be loaded and a crash are a failure each", () => {
  const unloadable = countsOf("unloadable", `import "./not-there.ts"; test("never", () => {});`);
  const crash = countsOf("crash", `test("x", () => { process.kill(process.pid, "SIGSEGV"); });`);
  expect(addCounts(addCounts(noCounts(), unloadable), crash)).toEqual({
    passed: 0,
    failed: ["unloadable ended badly", "crash ended badly"],
    skipped: [],
  });
});

test("an error after a test that passed is a failure too", () => {
  const text = `test("starts", () => {}); test("waits", async () => {
    setTimeout(() => { throw new Error("late"); }, 1);
    await Bun.sleep(20);
  });`;
  expect(countsOf("late", text).failed.length).toBe(1);
});
