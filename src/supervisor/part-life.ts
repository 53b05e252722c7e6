/**
 * The life of one part of a sensor (most have only one): one process after the other, with a back-off
 * between them.
 *
 *   starting -> connecting | running | waiting -> (exit) -> restarting -> starting ...
 *                                              -> ended | failed
 *   any -> stopping -> stopped -> (start) -> starting
 */
import type { SensorConfig } from "../../sensors/sensor.ts";
import { type Log, logFor } from "../log/log.ts";
import { redact } from "../log/redact.ts";
import { ControlCalls } from "./control-calls.ts";
import type { LogLine } from "./log-tail.ts";
import { type ChildEnd, type ChildTiming, type Said, SensorChild } from "./sensor-child.ts";
import type { PartStatus, SensorFailure } from "./sensor-status.ts";

export interface LifeTiming extends ChildTiming {
  /** Between a failure and the next process; doubled each time, back at this after a first frame. */
  backoffMinMs: number;
  backoffMaxMs: number;
  /** A question about controls is given up after it. */
  answerMs: number;
}

export const lifeTiming: LifeTiming = {
  backoffMinMs: 50,
  backoffMaxMs: 5000,
  aliveMs: 1000,
  silentBeatsMax: 10,
  graceMs: 1000,
  answerMs: 5000,
};

/** What is the whole sensor's, whichever part says it. */
export type SensorNews = Extract<Said, { type: "clock" | "calibration" | "tell" }>;

export interface PartOptions {
  config: SensorConfig;
  /** "" where the sensor has only one. */
  part: string;
  prefix: string;
  group: number | null;
  directory: string;
  kindsModule: string;
  timing: LifeTiming;
  changed(): void;
  said(news: SensorNews): void;
  /** What it said, or what was said about it. */
  logged(line: Pick<LogLine, "level" | "words">): void;
  /** Clears away what a process that could not do it itself has left of these streams. */
  sweep(streams: string[]): void;
}

export class PartLife {
  readonly calls: ControlCalls;
  readonly #options: PartOptions;
  readonly #log: Log;
  readonly #streams = new Set<string>();
  #status: PartStatus;
  #wanted = false;
  #child: SensorChild | null = null;
  /** Resolves when what follows from the end of the child has been done. */
  #ending: Promise<void> = Promise.resolve();
  #backoffMs: number;
  #backoff: ReturnType<typeof setTimeout> | undefined;
  /** One order after the other: a stop in the middle of a start would leave a process behind. */
  #orders: Promise<void> = Promise.resolve();

  constructor(options: PartOptions) {
    const { config, part, timing } = options;
    this.#options = options;
    this.#log = logFor("sensor", config.name, ...(part ? [part] : []));
    this.#backoffMs = timing.backoffMinMs;
    this.calls = new ControlCalls({
      name: config.name,
      answerMs: timing.answerMs,
      send: (question) => {
        this.#child?.send(question);
        return this.#child !== null;
      },
    });
    this.#status = {
      name: part,
      state: "stopped",
      words: null,
      pid: null,
      restarts: 0,
      streams: [],
      lastError: null,
      counters: {},
    };
  }

  /** Its streams are those that it has asked for itself. */
  get status(): PartStatus {
    return this.#status;
  }

  /** What another part told; lost where no process runs now. */
  tell(message: unknown, from: string): void {
    this.#child?.send({ type: "told", message, from });
  }

  start(): Promise<void> {
    return this.#order(async () => {
      if (this.#wanted) return;
      this.#wanted = true;
      this.#backoffMs = this.#options.timing.backoffMinMs;
      this.#launch();
    });
  }

  /** Resolves when the process is gone and nothing of it is left. */
  stop(): Promise<void> {
    return this.#order(async () => {
      this.#wanted = false;
      clearTimeout(this.#backoff);
      if (this.#child) {
        this.#change({ state: "stopping", words: null });
        await this.#child.stop();
        await this.#ending;
      } else if (this.#status.state === "restarting") {
        this.#rest("stopped");
      }
    });
  }

  #order(what: () => Promise<void>): Promise<void> {
    const done = this.#orders.then(what);
    this.#orders = done.catch(() => {}); // its caller hears of it; the next order is another matter
    return done;
  }

  #change(changes: Partial<PartStatus>): void {
    this.#status = { ...this.#status, ...changes };
    this.#options.changed();
  }

  #launch(): void {
    const { config, part, kindsModule, prefix, group, directory, timing } = this.#options;
    const { aliveMs } = timing;
    const known = { kindsModule, config, part, prefix, group, directory, aliveMs };
    this.#change({ state: "starting", words: null });
    try {
      const child = new SensorChild({
        configure: { type: "configure", ...known },
        timing,
        said: (message) => this.#hear(message),
        printed: (line) => {
          this.#log.debug(line);
          this.#options.logged({ level: "output", words: line });
        },
      });
      this.#child = child;
      this.#ending = child.gone.then((end) => this.#ended(end));
      this.#change({ pid: child.pid });
    } catch (error) {
      this.#tryAgain(`No process could be started: ${(error as Error).message}`);
    }
  }

  #hear(message: Said): void {
    switch (message.type) {
      case "alive":
        this.#status = { ...this.#status, counters: message.counters };
        break;
      case "stream":
        this.#streams.add(message.name);
        this.#change({ streams: [...this.#streams] });
        break;
      case "first-frame":
        this.#backoffMs = this.#options.timing.backoffMinMs;
        this.#change({ state: "running", words: null });
        break;
      case "state":
        this.#change({ state: message.state, words: message.words && redact(message.words) });
        break;
      case "clock":
      case "calibration":
      case "tell":
        this.#options.said(message);
        break;
      case "controls":
        this.calls.offered(message.schema);
        break;
      case "control-state":
      case "control-refusal":
        this.calls.hear(message);
        break;
      case "log":
        this.#log[message.level](message.words, message.properties);
        this.#options.logged(message);
    }
  }

  #ended(end: ChildEnd): void {
    this.#child = null;
    this.calls.abandon();
    this.#status = { ...this.#status, pid: null };
    if (!this.#wanted) this.#rest("stopped");
    else if (end.type === "ended") this.#rest("ended");
    else if (end.type === "crashed" || end.retry) this.#tryAgain(end.words);
    else this.#fail(end.words);
  }

  #fail(words: string): void {
    this.#blame(words);
    this.#log.error(words);
    this.#options.logged({ level: "error", words });
    this.#rest("failed");
  }

  #rest(state: "stopped" | "ended" | "failed"): void {
    this.#wanted = false;
    this.#options.sweep([...this.#streams]);
    this.#change({ state, words: null });
  }

  #tryAgain(words: string): void {
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(waitMs * 2, this.#options.timing.backoffMaxMs);
    this.#blame(words);
    const told = `${words}\nstarts again in ${waitMs} ms`;
    this.#log.error(told);
    this.#options.logged({ level: "error", words: told });
    this.#backoff = setTimeout(() => {
      this.#status = { ...this.#status, restarts: this.#status.restarts + 1 };
      this.#launch();
    }, waitMs);
    this.#change({ state: "restarting", words: `starts again in ${waitMs} ms` });
  }

  #blame(words: string): void {
    this.#status = { ...this.#status, lastError: sameOrNew(this.#status.lastError, words) };
  }
}

/** Two failures are the same where they differ only in numbers: pids and addresses change each time. */
function sameOrNew(last: SensorFailure | null, words: string): SensorFailure {
  const sameness = (text: string) => text.replace(/\d+/g, "#");
  const repeated = last !== null && sameness(last.words) === sameness(words);
  return { words, count: repeated ? last.count + 1 : 1, at: new Date().toISOString() };
}
