/** `bun run check`: everything that can be known about the tree without running the product. */
import { join } from "node:path";
import { pythonPrograms } from "./install.ts";
import { problemsInTree } from "./tidy.ts";

/** The words of what is wrong; null: nothing is. */
type Step = () => string | null;

const root = join(import.meta.dir, "..");
const bun = process.execPath;

export const steps: Record<string, Step> = {
  "format and lint": () =>
    failureOf([
      bun,
      "node_modules/@biomejs/biome/bin/biome",
      "check",
      "--error-on-warnings",
      "--max-diagnostics=100",
    ]),
  types: () => failureOf([bun, "node_modules/typescript/bin/tsc", "--noEmit"]),
  "vectors are current": () => failureOf([bun, "clients/vectors/generate.ts", "--check"]),
  "sync traces are current": () => failureOf([bun, "clients/vectors/sync/generate.ts", "--check"]),
  "offsets in every language": () => failureOf([bun, "test", "./test/layout.test.ts"]),
  "streamem.py runs on Python 3.4": pythonVersions,
  "tracked files are tidy": () => problemsInTree(root).join("\n") || null,
};

/** vermin reads the source: it finds what a newer Python made possible without running an old one. */
function pythonVersions(): string | null {
  const { folder, ...rest } = pythonPrograms();
  if (folder === null) return `not checked, vermin is missing: ${"why" in rest ? rest.why : ""}`;
  const vermin = [join(folder, "vermin"), "--no-tips", "--violations", "-t=3.4-"];
  return failureOf([...vermin, "clients/python/streamem.py"]);
}

function failureOf(command: string[]): string | null {
  const done = Bun.spawnSync(command, {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (done.success) return null;
  return `${done.stdout}${done.stderr}`.trim() || `exit code ${done.exitCode}`;
}

if (import.meta.main) {
  for (const [name, step] of Object.entries(steps)) {
    const words = step();
    console.log(words === null ? `ok      ${name}` : `FAILED  ${name}\n${words}\n`);
    if (words !== null) process.exitCode = 1;
  }
}
