// The Python client's own tests, on each interpreter that is here: they are unittest files beside it, so that
// somebody who has only that folder can run them too. They mostly wait, so the interpreters run side by side.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../clients/python");
const modules = readdirSync(folder)
  .filter((file) => /^test_.*\.py$/.test(file))
  .map((file) => file.slice(0, -".py".length));
const HANG_MS = 280_000; // only so that a run that hangs is ended

async function unittest(python: string, module: string) {
  const run = Bun.spawn([python, "-m", "unittest", module], { cwd: folder, stderr: "pipe" });
  const words = await new Response(run.stderr).text();
  return { exitCode: await run.exited, words };
}

/** One module after the other; each result as soon as it is there. */
function runAll(python: string, names: string[]): Map<string, ReturnType<typeof unittest>> {
  let before: Promise<unknown> = Promise.resolve();
  const results = new Map<string, ReturnType<typeof unittest>>();
  for (const name of names) {
    const result = before.then(() => unittest(python, name));
    results.set(name, result);
    before = result;
  }
  return results;
}

const interpreters = ["python3", "pypy3"].map((name) => {
  const path = Bun.which(name);
  // PyPy has no NumPy here: the tests of arrays without it are in the other files
  const wanted = modules.filter((module) => !(name === "pypy3" && module === "test_numpy"));
  return { name, path, wanted, results: path === null ? null : runAll(path, wanted) };
});

for (const { name, path, wanted, results } of interpreters) {
  for (const module of wanted) {
    test.skipIf(path === null)(
      `${name} ${module}`,
      async () => {
        const { exitCode, words } = (await results?.get(module)) ?? { exitCode: 1, words: "" };
        expect(exitCode, words).toBe(0);
        expect(words).toMatch(/Ran [1-9]\d* tests? in/); // an empty file would pass too
        expect(words, "a test was skipped").not.toContain("skipped=");
      },
      HANG_MS,
    );
  }
}
