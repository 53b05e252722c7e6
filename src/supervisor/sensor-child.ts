/** One process of a sensor, from its start to its end: spoken to, listened to, watched, ended. */
import { type Subprocess, spawn } from "bun";
import { redact } from "../log/redact.ts";
import { endingWords } from "./failure-words.ts";
import type { Configure, FromSensor, ToSensor } from "./sensor-messages.ts";
import { type Output, readOutput } from "./sensor-output.ts";

export interface ChildTiming {
  /** A process says that it is alive this often, ... */
  aliveMs: number;
  /** ... and is killed when it has not for so many of these. */
  silentBeatsMax: number;
  /** After being told to stop, until SIGTERM; and again until SIGKILL. */
  graceMs: number;
}

/** `crashed`: it ended without a word of its own, or hung and was killed. */
export type ChildEnd =
  | { type: "ended" }
  | { type: "failed"; words: string; retry: boolean }
  | { type: "crashed"; words: string };

/** All that a process says while it runs; its last words become the {@link ChildEnd}. */
export type Said = Exclude<FromSensor, { type: "failed" | "ended" }>;

export interface ChildOptions {
  configure: Configure;
  timing: ChildTiming;
  said(message: Said): void;
  printed(line: string): void;
}

const entry = new URL("./sensor-process.ts", import.meta.url).pathname;

/** A grandchild may keep the pipes open for ever. */
const drainMs = 200;

export class SensorChild {
  /** Resolves when the process is gone and all that it wrote was read. */
  readonly gone: Promise<ChildEnd>;
  readonly #process: Subprocess<"ignore", "pipe", "pipe">;
  readonly #output: Output;
  readonly #timing: ChildTiming;
  readonly #watchdog: ReturnType<typeof setInterval>;
  #silentBeats = 0;
  #farewell: Extract<ChildEnd, { type: "failed" | "ended" }> | null = null;

  /** Throws where no process can be started. */
  constructor(options: ChildOptions) {
    const { config, part } = options.configure;
    this.#timing = options.timing;
    const silence = Promise.withResolvers<void>();
    this.#process = spawn({
      // The names are there for `ps`; everything else goes by IPC.
      cmd: [process.execPath, entry, config.name, ...(part ? [part] : [])],
      stdio: ["ignore", "pipe", "pipe"],
      serialization: "advanced",
      ipc: (message: FromSensor) => this.#hear(message, options.said),
      onDisconnect: silence.resolve,
    });
    this.#output = readOutput([this.#process.stdout, this.#process.stderr], options.printed);
    // Counted in beats of our own timer: a hub that was stopped itself must not blame its sensors.
    this.#watchdog = setInterval(() => this.#beat(), this.#timing.aliveMs);
    this.gone = this.#end(silence.promise);
    this.send(options.configure);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Asks, asks again by SIGTERM, and then does not ask. */
  async stop(): Promise<void> {
    this.send({ type: "stop" });
    const { graceMs } = this.#timing;
    const term = setTimeout(() => this.#process.kill("SIGTERM"), graceMs);
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), 2 * graceMs);
    await this.gone;
    clearTimeout(term);
    clearTimeout(kill);
  }

  /** A process that is just dying no longer listens; its end is reported by `gone`. */
  send(message: ToSensor): void {
    try {
      this.#process.send(message);
    } catch {
      // see above
    }
  }

  #hear(message: FromSensor, said: (message: Said) => void): void {
    this.#silentBeats = 0;
    if (message.type === "failed" || message.type === "ended") this.#farewell = message;
    else said(message);
  }

  #beat(): void {
    this.#silentBeats += 1;
    if (this.#hung()) this.#process.kill("SIGKILL");
  }

  #hung(): boolean {
    return this.#silentBeats > this.#timing.silentBeatsMax;
  }

  /** @param silence resolves when its last message has been heard, which may be after its end */
  async #end(silence: Promise<void>): Promise<ChildEnd> {
    await this.#process.exited;
    clearInterval(this.#watchdog);
    await Promise.race([Promise.all([this.#output.drained, silence]), Bun.sleep(drainMs)]);
    if (this.#farewell?.type === "ended") return this.#farewell;
    if (this.#farewell) return { ...this.#farewell, words: redact(this.#farewell.words) };
    return { type: "crashed", words: redact(this.#crashWords()) };
  }

  #crashWords(): string {
    const { silentBeatsMax, aliveMs } = this.#timing;
    if (this.#hung()) {
      const seconds = (silentBeatsMax * aliveMs) / 1000;
      return `The process hung: it gave no sign of life for ${seconds} s and was killed`;
    }
    const { exitCode, signalCode } = this.#process;
    return endingWords({ exitCode, signal: signalCode, lastLines: this.#output.lines });
  }
}
