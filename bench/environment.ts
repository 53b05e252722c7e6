/** What other systems need, installed by their own package managers into a folder of the cache that may be thrown away. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

function folderOf(name: string): string {
  const base = process.env.XDG_CACHE_HOME || (homedir() ? join(homedir(), ".cache") : tmpdir());
  const folder = join(base, "streamem", "bench", name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function run(command: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): void {
  const done = Bun.spawnSync(command, { ...options, stdout: "ignore", stderr: "pipe" });
  if (done.success) return;
  const words = done.stderr.toString().trim().split("\n").slice(-3).join(" ");
  throw new Error(`${command.slice(0, 4).join(" ")} …: ${words.slice(-300)}`);
}

/**
 * The interpreter of an environment that has these packages ("numpy==2.4.6"), installed from PyPI the first time.
 * Throws where that is not possible, in pip's words.
 */
export function pythonWith(packages: string[]): string {
  const wanted = [...packages].sort().join(" ");
  const folder = folderOf(
    `python-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`,
  );
  const python = join(folder, "bin", "python3");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return python;
  run(["python3", "-m", "venv", "--clear", folder]);
  run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  writeFileSync(complete, `${wanted}\n`);
  return python;
}

/**
 * A Rust file as a static library with these crates ({"name": "1.2.3"}), built by cargo, which keeps what it has built.
 * Throws where that is not possible, in cargo's words.
 */
export function rustLibrary(source: string, crates: Record<string, string>): string {
  const folder = folderOf("rust");
  const dependencies = Object.entries(crates).map(([name, version]) => `${name} = "=${version}"`);
  const manifest = `[package]
name = "peer"
version = "0.0.0"
edition = "2021"
[lib]
crate-type = ["staticlib"]
path = ${JSON.stringify(source)}
[profile.release]
panic = "abort"
[dependencies]
${dependencies.join("\n")}
`;
  const name = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "Cargo.toml"), manifest);
  if (!Bun.which("cargo")) throw new Error("cargo is not installed");
  run(["cargo", "build", "--release", "--quiet"], { cwd: place });
  return join(place, "target", "release", "libpeer.a");
}
