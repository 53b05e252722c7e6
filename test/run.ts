/**
 * `bun run test [files or flags of bun test]`: installs what tests need, runs every test file in a
 * process of its own (a crash in native code, or a leak, costs one file), two at a time where there
 * are two cores, and ends with the line `N passed, N failed, N skipped`.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { installPackages, ndiLibrary, pythonPrograms } from "./install.ts";
import { addCounts, type Counts, junitCounts, noCounts } from "./junit.ts";

const root = join(import.meta.dir, "..");
/** Only so that a test that hangs is ended and named. */
const fileLimitMs = process.env.STREAMEM_LONG ? 7_200_000 : 300_000;

const notes = installPackages();
const python = pythonPrograms();
if (python.folder === null) notes.push(`NumPy is missing: ${python.why}`);
const ndi = ndiLibrary();
if (ndi.folder === null) notes.push(`libndi is missing: ${ndi.why}`);

const flags = process.argv.slice(2).filter((word, i, all) => isFlag(word) || isFlag(all[i - 1]));
const wanted = process.argv.slice(2).filter((word) => !flags.includes(word));
const reports = mkdtempSync(join(tmpdir(), "streamem-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));

const startMs = performance.now();
const running = new Set<Bun.Subprocess>();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);

const files = testFiles(wanted);
let total = noCounts();
for (const file of files.filter(needsAll)) await runFile(file);
const others = files.filter((file) => !needsAll(file));
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, takeTurns));
report(total);
process.exit(total.failed.length > 0 || total.passed === 0 ? 1 : 0);

function isFlag(word: string | undefined): boolean {
  return word?.startsWith("-") ?? false;
}

function testFiles(parts: string[]): string[] {
  const all = [...new Bun.Glob("{test,bench,clients}/**/*.test.ts").scanSync(root)].sort();
  return parts.length === 0 ? all : all.filter((file) => parts.some((part) => file.includes(part)));
}

/** A file that measures what the whole machine does says so in its first lines. */
function needsAll(file: string): boolean {
  return readFileSync(join(root, file), "utf8").slice(0, 1000).includes("Runs alone:");
}

async function takeTurns(): Promise<void> {
  for (let file = others.shift(); file; file = others.shift()) await runFile(file);
}

async function runFile(file: string): Promise<void> {
  const outfile = join(reports, `${file.replaceAll("/", "-")}.xml`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${outfile}`];
  // What it says goes to a file and is shown when it has ended: lines of two tests at a time are nobody's.
  const said = join(reports, `${file.replaceAll("/", "-")}.log`);
  const fd = openSync(said, "w");
  const test = Bun.spawn([process.execPath, "test", `./${file}`, ...reporter, ...flags], {
    cwd: root,
    env: environment(),
    stdin: "ignore",
    stdout: fd,
    stderr: fd,
    detached: true, // a group of its own, which can be ended with all that it started
  });
  closeSync(fd);
  running.add(test);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end(test);
  }, fileLimitMs);
  const code = await test.exited;
  clearTimeout(timer);
  running.delete(test);
  process.stdout.write(readFileSync(said));
  const how = late ? `ran longer than ${fileLimitMs / 1000} s` : `ended with ${ended(test, code)}`;
  total = addCounts(total, junitCounts(file, outfile, code === 0 && !late ? null : how));
}

function end(test: Bun.Subprocess): void {
  if (test.exitCode === null) process.kill(-test.pid, "SIGKILL");
}

function interrupted(): void {
  for (const test of running) end(test);
  process.exit(130);
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
