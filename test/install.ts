/** Puts in place what tests need beyond npm, as far as this machine lets us, and says what it could not. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { missingPackages, type NeededPackage } from "./packages.ts";

/** @returns a line for each package that is missing still, with what to do */
export function installPackages(): string[] {
  const missing = missingPackages();
  if (missing.length > 0 && mayInstall()) aptInstall(missing);
  return missingPackages().map(
    ({ name, purpose }) => `${name} is missing: ${purpose} not tested. apt-get install ${name}`,
  );
}

function mayInstall(): boolean {
  return process.geteuid?.() === 0 && Bun.which("apt-get") !== null;
}

/** All in one go; if one of them has no candidate here, the others one by one. */
function aptInstall(packages: NeededPackage[]): void {
  const names = packages.map((needed) => needed.name);
  console.log(`Installing Debian packages for the tests: ${names.join(", ")}`);
  aptGet("update");
  if (aptGet("install", "--no-install-recommends", ...names)) return;
  for (const name of names) aptGet("install", "--no-install-recommends", name);
}

function aptGet(...words: string[]): boolean {
  const done = Bun.spawnSync(["apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0", ...words], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!done.success) {
    console.log(`apt-get ${words.join(" ")}: ${done.stderr.toString().trim().slice(-600)}`);
  }
  return done.success;
}

const pythonPackages = ["numpy", "vermin==1.6.0", "opencv-python-headless"];

/**
 * A throw-away Python environment beside the other caches, made at the first call.
 * @returns its folder of programs, or why there is none
 */
export function pythonPrograms(): { folder: string } | { folder: null; why: string } {
  const python = Bun.which("python3");
  if (!python) return { folder: null, why: "there is no python3" };
  const version = Bun.spawnSync([
    python,
    "-c",
    "import sys; print('%d.%d' % sys.version_info[:2])",
  ]);
  const name = `test-python-${version.stdout.toString().trim()}`;
  const folder = join(cacheFolder(), name, "bin");
  if (isComplete(folder)) return { folder };
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  const made = run([python, "-m", "venv", "--clear", join(cacheFolder(), name)]);
  const pip = [join(folder, "python3"), "-m", "pip", "install", "--quiet", "--no-input"];
  const why = made ?? run([...pip, ...pythonPackages]);
  return why === null ? { folder } : { folder: null, why };
}

function isComplete(folder: string): boolean {
  const check = "import numpy, vermin, cv2";
  return (
    Bun.which(join(folder, "python3")) !== null &&
    Bun.spawnSync([join(folder, "python3"), "-c", check]).success
  );
}

/** It carries a libndi. A dependency, even for development, would bring 27 MB under another licence to every user. */
const ndiPackage = "@grandi/linux-x64";
const ndiVersion = "1.3.0";

/**
 * A libndi beside the other caches, installed at the first call: whoever tests has it, whoever uses the project has not.
 * @returns the folder it lies in, or why there is none
 */
export function ndiLibrary(): { folder: string } | { folder: null; why: string } {
  if (process.arch !== "x64") return { folder: null, why: `${ndiPackage} is for x86-64 only` };
  const project = join(cacheFolder(), `test-ndi-${ndiVersion}`);
  const folder = join(project, "node_modules", ndiPackage);
  if (existsSync(join(folder, "libndi.so.6"))) return { folder };
  mkdirSync(project, { recursive: true, mode: 0o700 });
  writeFileSync(join(project, "package.json"), "{}"); // else it is added to what a folder above declares
  const add = ["add", "--exact", "--ignore-scripts", `${ndiPackage}@${ndiVersion}`];
  const why = run([process.execPath, ...add], project);
  return why === null ? { folder } : { folder: null, why };
}

/** @returns null when it went well, else the words of the failure */
function run(command: string[], cwd?: string): string | null {
  const done = Bun.spawnSync(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (done.success) return null;
  const words = done.stderr.toString().trim() || done.stdout.toString().trim();
  return `${command.slice(0, 4).join(" ")}: ${words.slice(-400)}`;
}

/** Where what is made once for all runs of the tests lies. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || (homedir() ? join(homedir(), ".cache") : tmpdir());
  return join(base, "streamem");
}
