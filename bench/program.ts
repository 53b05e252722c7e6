/** Programs that measure, one round a line: compiled, started, asked in turns, ended. */
import { existsSync, readdirSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { findCompiler } from "../src/ring/build.ts";
import type { BenchContext, Series } from "./bench.ts";

/** Compiles bench/<name>.c with the system's compiler and the flags of the shim. Throws where that is not possible. */
export function compileC(name: string, context: BenchContext): string {
  return compileProgram(join(import.meta.dir, `${name}.c`), ["-O2"], context);
}

/** Compiles one C file with `flags` after it, once a run, as a program called `name`. */
export function compileProgram(
  source: string,
  flags: string[],
  context: BenchContext,
  name = basename(source, ".c"),
): string {
  const compiler = findCompiler();
  if (!compiler) throw new Error("no C compiler");
  const program = join(context.folder, name);
  if (existsSync(program)) return program;
  const command = [compiler, "-std=gnu11", "-pthread", source, ...flags, "-o", program];
  const built = Bun.spawnSync(command);
  if (!built.success) throw new Error(`${compiler}: ${built.stderr.toString().slice(0, 400)}`);
  return program;
}

/** A running program. */
export class Program {
  /** From its first line: of what it uses, and the processes that read. */
  versions: Record<string, string> = {};
  pids: number[] = [];
  readonly #lines: AsyncGenerator<string, void>;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #name: string;

  private constructor(name: string, command: string[], environment: Record<string, string>) {
    this.#name = name;
    this.#process = Bun.spawn(command, {
      env: { ...process.env, ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  /** Resolves once the program says that it is ready; rejects with its last words where it is not. */
  static async start(
    name: string,
    command: string[],
    environment: Record<string, string>,
  ): Promise<Program> {
    const program = new Program(name, command, environment);
    const ready = (await program.#line()) as {
      versions?: Record<string, string | null>;
      pids?: number[];
    };
    program.pids = ready.pids ?? [];
    for (const [what, version] of Object.entries(ready.versions ?? {})) {
      if (version !== null) program.versions[what] = version;
    }
    return program;
  }

  /** Of itself and of the processes that read. */
  get allPids(): number[] {
    return [this.#process.pid, ...this.pids];
  }

  async round(): Promise<Series[]> {
    this.#process.stdin.write("\n");
    await this.#process.stdin.flush();
    return ((await this.#line()) as { series: Series[] }).series;
  }

  /** Ends it and all that it has started, as a crash does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  /** Ends its input and waits until it has tidied up. */
  async end(): Promise<void> {
    await this.#process.stdin.end();
    await this.#process.exited;
  }

  async #line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    const words = (await new Response(this.#process.stderr).text()).trim();
    throw new Error(`${this.#name} ended: ${words.slice(-300) || "without a word"}`);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
}

/**
 * `rounds` rounds of every program; within a round they come one after the other, in random order.
 * @param named gives the series of a program that does not know what it is called in the table
 */
export async function takeTurns(
  programs: Program[],
  rounds: number,
  context: BenchContext,
  named: (program: Program, series: Series[]) => Series[] = (_, series) => series,
): Promise<Series[][]> {
  const all: Series[][] = [];
  const count = Math.max(2, Math.round(rounds * context.share));
  for (let round = 0; round < count; round++) {
    const order = programs
      .map((program) => ({ program, at: Math.random() }))
      .sort((a, b) => a.at - b.at);
    const series: Series[] = [];
    for (const { program } of order) series.push(...named(program, await program.round()));
    all.push(series);
    context.say(`round ${round + 1} of ${count}`);
  }
  return all;
}

/** Removes what a program that failed has left in /dev/shm; returns the names. */
export function clearLeftovers(prefix: string): string[] {
  const left = readdirSync("/dev/shm").filter(
    (name) => name.startsWith(`${prefix}.`) || name.startsWith(`.${prefix}.`),
  );
  for (const name of left) unlinkSync(join("/dev/shm", name));
  return left;
}
