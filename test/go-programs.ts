// The Go programs of clients/go/programs and samples: compiled once for each state of the sources, into a folder outside the tree.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { skipping } from "./skipping.ts";

export const goFolder = join(import.meta.dir, "../clients/go");

/** The Go command, or null: tests that need it are skipped then. */
export const go = Bun.which("go");
if (!go) skipping("the Go client", "no go (Debian: apt-get install golang-go)");

const cache = join(process.env.XDG_CACHE_HOME || join(homedir() || tmpdir(), ".cache"), "streamem");
let folder: string | undefined;

/** Where this state of the sources is compiled to, by this compiler. */
function folderOfSources(): string {
  const hash = createHash("sha256").update(runGo(["version"]));
  const sources = [...new Bun.Glob("**/*.{go,s,mod,sum}").scanSync(goFolder)].sort();
  for (const file of sources) hash.update(file).update(readFileSync(join(goFolder, file)));
  const made = join(cache, `test-go-${hash.digest("hex").slice(0, 16)}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  return made;
}

/** Path of the compiled clients/go/<package>, such as `programs/vectors`. */
export function goProgram(path: string): string {
  folder ??= folderOfSources();
  const binary = join(folder, path.replaceAll("/", "-"));
  if (existsSync(binary)) return binary;
  const temporary = `${binary}.${process.pid}`; // renamed when whole: other test files may be building it too
  runGo(["build", "-o", temporary, `./${path}`]);
  renameSync(temporary, binary);
  return binary;
}

/** Runs the go command in clients/go; its output. */
export function runGo(words: string[], env: Record<string, string> = {}): string {
  const done = Bun.spawnSync([go as string, ...words], {
    cwd: goFolder,
    env: { ...process.env, GOFLAGS: "-buildvcs=false", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  if (done.success) return done.stdout.toString();
  throw new Error(`go ${words.join(" ")}:\n${done.stdout}${done.stderr.toString().slice(-4000)}`);
}
