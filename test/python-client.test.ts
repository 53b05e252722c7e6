// The Python client's own tests, on each interpreter that is here: they are unittest files beside it, so that
// somebody who has only that folder can run them too.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../clients/python");
const modules = readdirSync(folder)
  .filter((file) => /^test_.*\.py$/.test(file))
  .map((file) => file.slice(0, -".py".length));

for (const interpreter of ["python3", "pypy3"]) {
  const python = Bun.which(interpreter);
  for (const module of modules) {
    // PyPy has no NumPy here: the tests of arrays without it are in the other files
    if (interpreter === "pypy3" && module === "test_numpy") continue;
    test.skipIf(python === null)(`${interpreter} ${module}`, () => {
      const done = Bun.spawnSync([python as string, "-m", "unittest", module], { cwd: folder });
      const words = done.stderr.toString();
      expect(done.exitCode, words).toBe(0);
      expect(words).toMatch(/Ran [1-9]\d* tests? in/); // an empty file would pass too
      expect(words, "a test was skipped").not.toContain("skipped=");
    });
  }
}
