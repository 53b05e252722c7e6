// The C programs of native/test: compiled into a folder of this run, and run on rings under a prefix of their own.
import { afterAll } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skipping } from "./skipping.ts";

export { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "streamem-ring-"));
const header = "clients/c/streamem.h";

/** The C compiler, or null: tests that need it are skipped then. */
export const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang");
export const isRoot = process.getuid?.() === 0;
/** Set for the long runs, which are not part of the ordinary ones. */
export const long = Boolean(process.env.STREAMEM_LONG);

if (!compiler)
  skipping("every test of the ring in C", "no C compiler (Debian: apt-get install gcc libc6-dev)");

/** A folder of this test file for sockets and the like; it goes when the file is done. */
export function temporaryFolder(label: string): string {
  return mkdtempSync(join(folder, `${label}-`));
}

let prefixes = 0;
const used: string[] = [];

/** A prefix that nobody else has; what is left under it is removed at the end. */
export function freshPrefix(): string {
  const prefix = `t${process.pid}-${prefixes++}`;
  used.push(prefix);
  return prefix;
}

/** What lies in /dev/shm under a prefix, hidden files too. */
export function leftovers(prefix: string): string[] {
  const ours = (name: string) => name.startsWith(`${prefix}.`) || name.startsWith(`.${prefix}.`);
  return readdirSync("/dev/shm").filter(ours).sort();
}

/** Registers the clean-up of what this module made; call it once in each test file. */
export function cleanUpAfterwards(): void {
  afterAll(() => {
    for (const prefix of used) {
      for (const name of leftovers(prefix)) rmSync(join("/dev/shm", name), { force: true });
    }
  });
}
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** One line of a source taken out or replaced, to see a test fail. It must be there, once: the tests name lines. */
export interface Mutation {
  file?: string;
  line: string;
  instead?: string;
}

function mutatedTree(mutation: Mutation): string {
  const { file = header, line, instead = "" } = mutation;
  const tree = temporaryFolder("mutant");
  for (const part of ["clients/c", "native"])
    cpSync(join(root, part), join(tree, part), { recursive: true });
  const text = readFileSync(join(root, file), "utf8");
  if (text.split(line).length !== 2)
    throw new Error(`${file} does not have this line once: ${line}`);
  writeFileSync(
    join(tree, file),
    text.replace(line, () => instead),
  );
  return tree;
}

const compiled = new Map<string, string>();

/** Path of the compiled native/test/<name>.c; built once for each set of flags, or with one line of the ring changed. */
export function program(name: string, flags: string[] = [], mutation?: Mutation): string {
  const key = JSON.stringify([name, flags, mutation]);
  const known = compiled.get(key);
  if (known) return known;
  const tree = mutation ? mutatedTree(mutation) : root;
  const binary = join(folder, `${name}-${compiled.size}`);
  const source = join(tree, "native/test", `${name}.c`);
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  run([
    compiler as string,
    "-std=gnu11",
    "-O2",
    ...(mutation ? ["-w"] : warnings),
    ...flags,
    source,
    "-o",
    binary,
    "-pthread",
  ]);
  compiled.set(key, binary);
  return binary;
}

export interface Done {
  stdout: string;
  stderr: string;
  /** "exit 0", "exit 1", "SIGSEGV" … */
  ended: string;
}

export type Environment = Record<string, string | undefined>;

/** Runs a command to its end, whatever that is. */
export async function finish(command: string[], env: Environment = {}): Promise<Done> {
  const child = Bun.spawn(command, {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
    env: { ...process.env, ...env },
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { stdout, stderr, ended: `${child.signalCode ?? `exit ${child.exitCode}`}` };
}

/** Runs a command that has to succeed; its output. */
export function run(command: string[], env: Environment = {}): string {
  const done = Bun.spawnSync(command, {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  if (!done.success) {
    const ended = done.signalCode ?? `exit ${done.exitCode}`;
    throw new Error(
      `${command.join(" ")}: ${ended}\n${done.stdout}${done.stderr.toString().slice(-4000)}`,
    );
  }
  return done.stdout.toString();
}

/** The JSON values that a program printed, one a line. */
export function jsonLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

/** A running program that is talked to by lines. */
export class Talk {
  readonly #lines: AsyncIterator<string>;
  readonly child: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor(command: string[], env: Environment = {}) {
    this.child = Bun.spawn(command, {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      env: { ...process.env, ...env },
    });
    this.#lines = linesOf(this.child.stdout);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** The next line that it prints; an error when it ended instead. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    await this.child.exited;
    throw new Error(`the program ended: ${this.child.signalCode ?? `exit ${this.child.exitCode}`}`);
  }

  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
    this.child.stdin.flush();
  }

  async ask(line: string): Promise<string> {
    this.say(line);
    return this.line();
  }

  /** Ends it and waits for its end. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.child.kill(signal);
    await this.child.exited;
  }
}

/** What a program prints, line by line. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}

/** Makes sure that the folders of a program's own exist. */
export function madeFolder(path: string, mode = 0o700): string {
  mkdirSync(path, { recursive: true, mode });
  return path;
}
