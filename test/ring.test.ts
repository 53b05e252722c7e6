// The ring in TypeScript, over both builds of the shim: a compiler's -O2 and Bun's own TinyCC, which is what a machine
// without a compiler gets. To see it fail: in clients/c/streamem.h take out the check of `begin` in streamem_valid, the
// `reader->missed +=`, or the streamem__follow call of streamem__take.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

setDefaultTimeout(120_000); // only so that a run that hangs is ended
const program = join(import.meta.dir, "ring-verbs.ts");

function verbs(env: Record<string, string>): string {
  const done = Bun.spawnSync([process.execPath, program], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(done.exitCode, done.stderr.toString()).toBe(0);
  return done.stdout.toString();
}

const compiler = Bun.which(process.env.CC ?? "cc");

test.skipIf(compiler === null)("every verb, shim built by the compiler", () => {
  expect(verbs({})).toContain("shim-");
});

test.skipIf(process.arch !== "x64")("every verb, shim built by TinyCC", () => {
  const emptyCache = mkdtempSync(join(tmpdir(), "streamem-cache-")); // where no built shim lies
  const said = verbs({ STREAMEM_NO_COMPILER: "1", XDG_CACHE_HOME: emptyCache });
  rmSync(emptyCache, { recursive: true });
  expect(said).toContain("TinyCC");
});
