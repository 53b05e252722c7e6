/**
 * Plays traces to a program that lines them up, and holds what it prints against the right answers. By hand:
 * `bun test/sync-traces.ts [--trace=NAME] [--mode=MODE] COMMAND…`.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { allTraces } from "../clients/vectors/sync/generate.ts";
import { reproducible } from "../clients/vectors/sync/pairing.ts";
import type { Trace, TraceEvent, TraceSet } from "../clients/vectors/sync/trace.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { type TraceWriter, type Where, writerElsewhere, writerHere } from "./sync-writers.ts";

export const modes = ["reproducible", "available"] as const;
export type Mode = (typeof modes)[number];

/** What a program prints of a set. */
interface PrintedSet {
  time_ns: string;
  driver: string;
  members: Record<string, { generation: string; sequence: string } | string>;
}

/** Captures lie so far in the past: none is after its publication. */
const agoNs = 30_000_000_000n;
/** Reads a ring's end and its successor's beginning: no reader looks more often. */
const restartMs = 20;
const patienceMs = 30_000;
/** Events between two looks at whether the program keeps up. */
const eventsPerLook = 16;

let runs = 0;

/** @returns what is wrong, in words; null: every set is right */
export async function playTrace(
  trace: Trace,
  mode: Mode,
  command: string[],
): Promise<string | null> {
  const where = {
    prefix: `t${process.pid}-sync${runs++}`,
    directory: mkdtempSync(join(tmpdir(), "streamem-sync-")),
  };
  const player = new Player(trace, mode, where);
  try {
    return await player.play(command);
  } finally {
    await player.close();
    rmSync(where.directory, { recursive: true, force: true });
    for (const file of readdirSync("/dev/shm")) {
      if (file.includes(`${where.prefix}.`)) rmSync(join("/dev/shm", file), { force: true });
    }
  }
}

class Player {
  readonly #writers = new Map<string, TraceWriter>();
  /** By stream, in their order. */
  readonly #generations = new Map<string, string[]>();
  readonly #lines: string[] = [];
  #program: Bun.Subprocess | null = null;
  #ended = false;

  constructor(
    private readonly trace: Trace,
    private readonly mode: Mode,
    private readonly where: Where,
  ) {
    for (const { name, rate } of trace.streams) {
      const killed = trace.events.some(
        (event) =>
          event.stream === name &&
          (("restart" in event && event.restart === "kill") ||
            ("end" in event && event.end === "kill")),
      );
      this.#writers.set(name, (killed ? writerElsewhere : writerHere)(name, rate, where));
    }
  }

  async play(command: string[]): Promise<string | null> {
    const { trace, mode } = this;
    for (const [name, writer] of this.#writers) this.#generations.set(name, [await writer.open()]);
    const words = this.#start(command);
    for (const [index, event] of trace.events.entries()) {
      const late = this.#mustHave(index) && (await this.#waitFor(index));
      if (late) return `${late}${await words()}`;
      await this.#happen(event);
    }
    const late = this.#mustHave(trace.events.length) && (await this.#waitFor(trace.events.length));
    if (late) return `${late}${await words()}`;
    const expected = trace[mode];
    const driver = this.#writers.get(trace.drives);
    for (const writer of this.#writers.values()) if (writer !== driver) await writer.close();
    // the driver last and not before every set is there: once it has ended, a second without one ends the program
    const missing = await this.#waitUntil(
      () => this.#lines.length >= expected.length,
      `set ${expected.length}`,
    );
    if (missing) return `${missing}${await words()}`;
    await driver?.close();
    const endless = await this.#waitUntil(
      () => this.#ended,
      `the program to end by itself after ${expected.length} sets`,
    );
    const wrong = this.#difference(expected) ?? endless;
    if (wrong) return `${wrong}${await words()}`;
    const code = this.#program?.exitCode;
    return code === 0 ? null : `exit code ${code}${await words()}`;
  }

  async close(): Promise<void> {
    this.#program?.kill("SIGKILL");
    await this.#program?.exited;
    for (const writer of this.#writers.values()) await writer.close();
  }

  #start(command: string[]): () => Promise<string> {
    const { prefix, directory } = this.where;
    const { toleranceNs, driver, streams } = this.trace;
    const names = streams.map(({ name }) => name);
    const program = Bun.spawn(
      [...command, prefix, this.mode, String(toleranceNs), driver ?? "-", ...names],
      {
        env: { ...process.env, STREAMEM_PREFIX: prefix, STREAMEM_DIR: directory },
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    this.#program = program;
    void this.#read(program.stdout);
    const errors = new Response(program.stderr).text();
    return async () => {
      program.kill("SIGKILL");
      const text = (await errors).trim().slice(-600);
      return text ? `; it says: ${text}` : "";
    };
  }

  async #read(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of output) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() as string;
      this.#lines.push(...lines.filter((line) => line !== ""));
    }
    await this.#program?.exited;
    this.#ended = true;
  }

  /** Whether the next event must find a program that has answered all that it can. */
  #mustHave(index: number): boolean {
    const { events, streams, drives } = this.trace;
    if (this.mode === "available") {
      const before = events[index - 1];
      return before !== undefined && before.stream === drives && "captureNs" in before;
    }
    const event = events[index];
    const restart = event !== undefined && !("captureNs" in event);
    return index === streams.length || index % eventsPerLook === 0 || restart;
  }

  #waitFor(index: number): Promise<string | null> {
    const { trace, mode } = this;
    const events = trace.events.slice(0, index);
    const count =
      mode === "reproducible"
        ? reproducible({ ...trace, events }).length
        : events.filter((event) => event.stream === trace.drives && "captureNs" in event).length;
    return this.#waitUntil(
      () => this.#lines.length >= count,
      `set ${count} of ${trace[mode].length}`,
    );
  }

  async #waitUntil(test: () => boolean, what: string): Promise<string | null> {
    const start = performance.now();
    while (!test()) {
      const over = performance.now() - start > patienceMs;
      if (!over && !this.#ended) await Bun.sleep(1);
      else
        return (
          this.#difference(this.trace[this.mode].slice(0, this.#lines.length)) ??
          `waited in vain for ${what}, ${this.#lines.length} came`
        );
    }
    return null;
  }

  async #happen(event: TraceEvent): Promise<void> {
    const writer = this.#writers.get(event.stream) as TraceWriter;
    if ("captureNs" in event) {
      const { captureNs, clockEpoch = 0 } = event;
      const captureTimeNs = captureNs === null ? null : String(this.#startNs + BigInt(captureNs));
      await writer.publish({ captureTimeNs, clockEpoch });
    } else if ("restart" in event) {
      const generation = await (event.restart === "renew" ? writer.renew() : writer.kill(true));
      this.#generations.get(event.stream)?.push(generation);
      await Bun.sleep(restartMs);
    } else if (event.end === "kill") await writer.kill(false);
    else await writer.close();
  }

  readonly #startNs = monotonicNs() - agoNs;

  /** Where printed sets and expected ones differ first. */
  #difference(expected: TraceSet[]): string | null {
    for (const [index, set] of expected.entries()) {
      const line = this.#lines[index];
      const wanted = this.#printed(set);
      if (line === undefined) return `set ${index + 1} is missing: ${JSON.stringify(wanted)}`;
      const got = parsed(line);
      const same = got?.driver === this.trace.drives && Bun.deepEquals(got.members, wanted);
      if (!same) return `set ${index + 1} is ${line}, and should be ${JSON.stringify(wanted)}`;
      if (!this.#timeIsRight(set, got))
        return `set ${index + 1}: ${line} has another time_ns than its driver's frame`;
    }
    const more = this.#lines[expected.length];
    return more === undefined ? null : `one set too many: ${more}`;
  }

  #printed(set: TraceSet): PrintedSet["members"] {
    return Object.fromEntries(
      Object.entries(set).map(([name, member]) => {
        if (typeof member === "string") return [name, member];
        const [generation, sequence] = member;
        const id = this.#generations.get(name)?.[generation] as string;
        return [name, { generation: id, sequence: String(sequence) }];
      }),
    );
  }

  /** Unless it is the time of publication, which no trace can know. */
  #timeIsRight(set: TraceSet, { time_ns }: PrintedSet): boolean {
    const { events, drives } = this.trace;
    const [generation, sequence] = set[drives] as [number, number];
    let [g, s] = [0, 0];
    for (const event of events) {
      if (event.stream !== drives) continue;
      if ("restart" in event) [g, s] = [g + 1, 0];
      else if ("captureNs" in event && ++s === sequence && g === generation) {
        return (
          event.captureNs === null || BigInt(time_ns) === this.#startNs + BigInt(event.captureNs)
        );
      }
    }
    return false;
  }
}

function parsed(line: string): PrintedSet | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const { values, positionals: command } = parseArgs({
    options: { trace: { type: "string" }, mode: { type: "string" } },
    allowPositionals: true,
  });
  if (command.length === 0) throw new Error("which program? See the head of this file");
  const wanted = (name: string, one?: string) => one === undefined || one === name;
  for (const trace of allTraces().filter(({ name }) => wanted(name, values.trace))) {
    for (const mode of modes.filter((mode) => wanted(mode, values.mode))) {
      const wrong = await playTrace(trace, mode, command);
      console.log(
        wrong ? `WRONG   ${trace.name} ${mode}: ${wrong}` : `ok      ${trace.name} ${mode}`,
      );
      if (wrong) process.exitCode = 1;
    }
  }
}
