/**
 * The life of one sensor: its process, the back-off after a failure, and how it is ended.
 *
 *   starting -> connecting | running | waiting -> (exit) -> restarting -> starting ...
 *                                              -> ended | failed
 *   any -> stopping -> stopped -> (start) -> starting
 */
import { type Subprocess, spawn } from "bun";
import type { Calibration } from "../sensors/sensor.ts";
import type { ConfiguredSensor } from "./config.ts";
import { endingWords } from "./failure-words.ts";
import { logFor } from "./log.ts";
import { redact } from "./redact.ts";
import type { FromSensor, ToSensor } from "./sensor-messages.ts";
import { type Output, readOutput } from "./sensor-output.ts";
import type { SensorFailure, SensorStatus } from "./sensor-status.ts";

export interface LifeTiming {
  backoffMinMs: number;
  backoffMaxMs: number;
  /** A process says that it is alive this often, ... */
  aliveMs: number;
  /** ... and is killed when it has not for so many of these. */
  silentBeatsMax: number;
  /** After being told to stop, until SIGTERM; and again until SIGKILL. */
  graceMs: number;
}

export const lifeTiming: LifeTiming = {
  backoffMinMs: 50,
  backoffMaxMs: 5000,
  aliveMs: 1000,
  silentBeatsMax: 10,
  graceMs: 1000,
};

export interface LifeOptions {
  sensor: ConfiguredSensor;
  prefix: string;
  group: number | null;
  directory: string;
  kindsModule: string;
  timing: LifeTiming;
  changed(status: SensorStatus): void;
  /** Clears away what a process that could not do it itself has left of these streams. */
  sweep(streams: string[]): void;
}

export interface SensorLife {
  status(): SensorStatus;
  calibrations: Map<string, Calibration>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One process, from its start to its end. */
interface Child {
  process: Subprocess<"ignore", "pipe", "pipe">;
  output: Output;
  silentBeats: number;
  watchdog: ReturnType<typeof setInterval>;
  /** What it said before it ended; what it did not say is a crash. */
  farewell: Extract<FromSensor, { type: "failed" | "ended" }> | null;
  gone: Promise<void>;
}

const entry = new URL("./sensor-process.ts", import.meta.url).pathname;

export function createLife(options: LifeOptions): SensorLife {
  const { sensor, timing } = options;
  const log = logFor("sensor", sensor.name);
  const streams = new Set(sensor.streams.map((stream) => stream.name));
  const calibrations = new Map<string, Calibration>();
  let status: SensorStatus = {
    name: sensor.name,
    kind: sensor.kind,
    state: "stopped",
    words: null,
    pid: null,
    restarts: 0,
    streams: [...streams],
    clock: null,
    lastError: null,
    counters: {},
  };
  let wanted = false;
  let child: Child | null = null;
  let backoffMs = timing.backoffMinMs;
  let backoff: ReturnType<typeof setTimeout> | undefined;
  // One order after the other: a stop in the middle of a start would leave a process behind.
  let orders: Promise<void> = Promise.resolve();

  const change = (part: Partial<SensorStatus>) => {
    status = { ...status, ...part };
    options.changed(status);
  };

  const launch = () => {
    change({ state: "starting", words: null });
    try {
      child = watch(spawnChild());
    } catch (error) {
      tryAgain(`No process could be started: ${(error as Error).message}`);
      return;
    }
    change({ pid: child.process.pid });
    const configure: ToSensor = {
      type: "configure",
      kindsModule: options.kindsModule,
      config: sensor.config,
      prefix: options.prefix,
      group: options.group,
      directory: options.directory,
      aliveMs: timing.aliveMs,
    };
    tell(child, configure);
  };

  const spawnChild = () =>
    spawn({
      // The name is there for `ps`; everything else goes by IPC.
      cmd: [process.execPath, entry, sensor.name],
      stdio: ["ignore", "pipe", "pipe"],
      serialization: "advanced",
      ipc: (message: FromSensor) => heard(message),
    });

  const watch = (subprocess: Child["process"]): Child => {
    const output = readOutput([subprocess.stdout, subprocess.stderr], (line) => log.debug(line));
    const started: Child = {
      process: subprocess,
      output,
      silentBeats: 0,
      farewell: null,
      // Counted in beats of our own timer: a hub that was stopped itself must not blame its sensors.
      watchdog: setInterval(() => beat(started), timing.aliveMs),
      gone: subprocess.exited.then(() => ended(started)),
    };
    return started;
  };

  const beat = (watched: Child) => {
    watched.silentBeats += 1;
    if (watched.silentBeats === timing.silentBeatsMax + 1) watched.process.kill("SIGKILL");
  };

  const heard = (message: FromSensor) => {
    if (!child) return;
    child.silentBeats = 0;
    switch (message.type) {
      case "alive":
        status = { ...status, counters: message.counters };
        return;
      case "stream":
        streams.add(message.name);
        return change({ streams: [...streams] });
      case "first-frame":
        backoffMs = timing.backoffMinMs;
        return change({ state: "running", words: null });
      case "state":
        return change({ state: message.state, words: message.words && redact(message.words) });
      case "clock":
        return change({ clock: message.clock });
      case "calibration":
        calibrations.set(message.stream, message.calibration);
        return;
      case "log":
        return log[message.level](message.words, message.properties);
      case "failed":
      case "ended":
        child.farewell = message;
    }
  };

  const ended = async (watched: Child) => {
    clearInterval(watched.watchdog);
    // A grandchild may keep the pipes open for ever.
    await Promise.race([watched.output.drained, Bun.sleep(200)]);
    child = null;
    status = { ...status, pid: null };
    const { farewell } = watched;
    if (!wanted) return rest("stopped");
    if (farewell?.type === "ended") return rest("ended");
    const words = failureWords(watched);
    if (farewell?.type === "failed" && !farewell.retry) {
      blame(words);
      log.error(words);
      return rest("failed");
    }
    tryAgain(words);
  };

  const failureWords = ({
    farewell,
    silentBeats,
    output,
    process: { exitCode, signalCode },
  }: Child) => {
    if (farewell?.type === "failed") return redact(farewell.words);
    if (silentBeats > timing.silentBeatsMax) {
      const seconds = (timing.silentBeatsMax * timing.aliveMs) / 1000;
      return `The process hung: it gave no sign of life for ${seconds} s and was killed`;
    }
    return redact(endingWords({ exitCode, signal: signalCode, lastLines: output.lines }));
  };

  const rest = (state: "stopped" | "ended" | "failed") => {
    wanted = false;
    options.sweep([...streams]);
    change({ state, words: null });
  };

  const tryAgain = (words: string) => {
    const waitMs = backoffMs;
    backoffMs = Math.min(backoffMs * 2, timing.backoffMaxMs);
    blame(words);
    log.error(`${words}\nstarts again in ${waitMs} ms`);
    backoff = setTimeout(() => {
      status = { ...status, restarts: status.restarts + 1 };
      launch();
    }, waitMs);
    change({ state: "restarting", words: `starts again in ${waitMs} ms` });
  };

  const blame = (words: string) => {
    status = { ...status, lastError: sameOrNew(status.lastError, words) };
  };

  const start = async () => {
    if (wanted) return;
    wanted = true;
    backoffMs = timing.backoffMinMs;
    launch();
  };

  const stop = async () => {
    wanted = false;
    clearTimeout(backoff);
    if (!child) {
      if (status.state === "restarting") rest("stopped");
      return;
    }
    const { process: subprocess, gone } = child;
    change({ state: "stopping", words: null });
    tell(child, { type: "stop" });
    const term = setTimeout(() => subprocess.kill("SIGTERM"), timing.graceMs);
    const kill = setTimeout(() => subprocess.kill("SIGKILL"), 2 * timing.graceMs);
    await gone;
    clearTimeout(term);
    clearTimeout(kill);
  };

  const order = (what: () => Promise<void>) => {
    const done = orders.then(what);
    orders = done.catch(() => {}); // its caller hears of it; the next order is another matter
    return done;
  };

  return {
    status: () => status,
    calibrations,
    start: () => order(start),
    stop: () => order(stop),
  };
}

/** A process that is just dying no longer listens. */
function tell(child: Child, message: ToSensor): void {
  try {
    child.process.send(message);
  } catch {
    // its exit is reported by `exited`
  }
}

function sameOrNew(last: SensorFailure | null, words: string): SensorFailure {
  const sameness = (text: string) => text.replace(/\d+/g, "#");
  const repeated = last !== null && sameness(last.words) === sameness(words);
  return { words, count: repeated ? last.count + 1 : 1, at: new Date().toISOString() };
}
