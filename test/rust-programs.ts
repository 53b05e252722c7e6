/** The Rust crate's programs: built once for each compiler, outside of the tree, without a network where Debian has libc. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./install.ts";
import { type Mutation, run } from "./ring-programs.ts";
import { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "..");
const crate = join(root, "clients/rust");
const cargo = Bun.which("cargo");

/** Whether Rust can be tested here. */
export const rust = cargo !== null && Bun.which("rustc") !== null;
if (!rust) skipping("the Rust client", "no cargo and rustc (Debian: apt-get install cargo rustc)");

/** Debian's librust-libc-dev holds the version of Cargo.lock; else cargo fetches it once. */
const debian = "/usr/share/cargo/registry";
const sources = existsSync(join(debian, "libc-0.2.139"))
  ? [
      "--offline",
      ...["--config", 'source.crates-io.replace-with="debian"'],
      ...["--config", `source.debian.directory="${debian}"`],
    ]
  : [];

function cargoDoes(words: string[], folder: string, target: string): string {
  const manifest = ["--manifest-path", join(folder, "Cargo.toml"), "--target-dir", target];
  const [verb, ...rest] = words as [string, ...string[]];
  const command = [cargo as string, verb, "--release", "--locked", ...sources, ...manifest];
  return run([...command, ...rest]);
}

/** One folder for each checkout and each compiler: cargo keeps its results by neither. */
const target = (() => {
  if (!rust) return "";
  const key = Bun.hash(root + run(["rustc", "--version"])).toString(16);
  return join(cacheFolder(), `test-rust-${key}`);
})();

/** Runs cargo on the crate with the words given, such as `test --lib`; its output. */
export function cargoOnCrate(...words: string[]): string {
  return cargoDoes(words, crate, target);
}

if (rust) cargoOnCrate("build", "--examples"); // here, before the clock of any test runs

/** Path of a program of clients/rust/examples or clients/rust/programs. */
export function rustProgram(name: string): string {
  return join(target, "release/examples", name);
}

/** The same with one line of the crate changed. */
export function mutatedRustProgram(name: string, { file, line, instead = "" }: Required<Mutation>) {
  const folder = mkdtempSync(join(tmpdir(), "streamem-rust-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(crate, folder, { recursive: true });
  const text = readFileSync(join(folder, file), "utf8");
  if (text.split(line).length !== 2) throw new Error(`${file} has not exactly once: ${line}`);
  writeFileSync(
    join(folder, file),
    text.replace(line, () => instead),
  );
  cargoDoes(["build", "--example", name], folder, join(folder, "target"));
  return join(folder, "target/release/examples", name);
}
