/**
 * `bun run test [files or flags of bun test]`: installs what tests need, runs every test file in a
 * process of its own (a crash in native code, or a leak, costs one file), and ends with the line
 * `N passed, N failed, N skipped`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPackages, pythonPrograms } from "./install.ts";
import { addCounts, type Counts, junitCounts, noCounts } from "./junit.ts";

const root = join(import.meta.dir, "..");
/** Only so that a test that hangs is ended and named. */
const fileLimitMs = 300_000;

const notes = installPackages();
const python = pythonPrograms();
if (python.folder === null) notes.push(`NumPy is missing: ${python.why}`);

const flags = process.argv.slice(2).filter((word, i, all) => isFlag(word) || isFlag(all[i - 1]));
const wanted = process.argv.slice(2).filter((word) => !flags.includes(word));
const reports = mkdtempSync(join(tmpdir(), "streamem-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));

const startMs = performance.now();
let total = noCounts();
for (const file of testFiles(wanted)) total = addCounts(total, await runFile(file));
report(total);
process.exit(total.failed.length > 0 || total.passed === 0 ? 1 : 0);

function isFlag(word: string | undefined): boolean {
  return word?.startsWith("-") ?? false;
}

function testFiles(parts: string[]): string[] {
  const all = [...new Bun.Glob("{test,bench,clients}/**/*.test.ts").scanSync(root)].sort();
  return parts.length === 0 ? all : all.filter((file) => parts.some((part) => file.includes(part)));
}

async function runFile(file: string): Promise<Counts> {
  const outfile = join(reports, `${file.replaceAll("/", "-")}.xml`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${outfile}`];
  const test = Bun.spawn([process.execPath, "test", `./${file}`, ...reporter, ...flags], {
    cwd: root,
    env: environment(),
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    detached: true, // a group of its own, which can be ended with all that it started
  });
  const end = () => {
    if (test.exitCode === null) process.kill(-test.pid, "SIGKILL");
  };
  const interrupted = () => {
    end();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, fileLimitMs);
  const code = await test.exited;
  clearTimeout(timer);
  process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  const how = late ? `ran longer than ${fileLimitMs / 1000} s` : `ended with ${ended(test, code)}`;
  return junitCounts(file, outfile, code === 0 && !late ? null : how);
}

function ended(test: Bun.Subprocess, code: number): string {
  return `${test.signalCode ?? `exit code ${code}`}`;
}

/** The same for everybody: what the user's shell says about rings is for his own. */
function environment(): Record<string, string | undefined> {
  const { STREAMEM_PREFIX: _, STREAMEM_DIR: __, STREAMEM_LOG: ___, ...rest } = process.env;
  return python.folder === null ? rest : { ...rest, PATH: `${python.folder}:${rest.PATH}` };
}

/** Tests that run for hours say in their name which variable asks for them. */
function isBehindSwitch(name: string): boolean {
  return /\(STREAMEM_\w+=/.test(name);
}

/** What was not tested is said where it cannot be overlooked: beside the result. */
function report({ passed, failed, skipped }: Counts): void {
  console.log("");
  for (const name of skipped)
    console.log(`${isBehindSwitch(name) ? "long" : "NOT TESTED"}: ${name}`);
  for (const note of notes) console.log(`NOT TESTED: ${note}`);
  for (const name of failed) console.log(`FAILED: ${name}`);
  console.log(`${Math.round((performance.now() - startMs) / 1000)} s`);
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
}
