/**
 * What a sensor is to the hub: a kind with a checked configuration, the streams it plans, and one
 * function that runs in a process of its own until it is told to stop.
 *
 * A kind supplies, all through this file:
 * - its streams: planned ones for the start-up table, real ones by `context.stream()` once it knows them;
 * - raw device ticks in each frame's `deviceTime`, never overwritten, with `descriptor.clock` naming
 *   their unit and epoch; `captureTimeNs` and `timeErrorNs` as far as it can map them;
 * - how the device's clock was compared (`clock()`): by probes, one way only, or not at all (local);
 * - its calibration, if it has one (`calibration()`), and its controls (`controls()`);
 * - a fixed lag, as a key of its own configuration, applied once and stated as `lagNs`;
 * - what a reconnect means: `run` keeps the writers it has, calls `state("connecting", why)`, tries
 *   again with back-off of its own, and calls `context.stream()` again with the same name if shape or
 *   dtype changed (a new generation, which readers follow). Ticks that ran backwards grow `clockEpoch`.
 *   Throwing instead ends the process: the supervisor starts a fresh one;
 * - where one connection must not delay another: `parts`, a process for each, which tell each other
 *   what they know (`tell()`, `heard()`).
 */
import { z } from "zod";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import type { RingWriter } from "../src/ring.ts";

/** A stream as far as it is known before the sensor runs. */
export interface PlannedStream {
  name: string;
  spec: Partial<StreamSpec>;
}

/** How the device's clock is related to CLOCK_MONOTONIC of this machine, now. */
export interface ClockState {
  method: "probe" | "one-way" | "local";
  /** Device time in ns + offset = CLOCK_MONOTONIC; null while unknown. */
  offsetNs: bigint | null;
  /** Bound of the error of capture times; null where unknown (always for `one-way`). */
  errorNs: bigint | null;
  ratePpm: number | null;
  roundTripNs: bigint | null;
  probes: number;
  /** When the newest probe that this rests on was asked, CLOCK_MONOTONIC; null where there is none. */
  probedNs: bigint | null;
  epoch: number;
}

/** Intrinsics, extrinsics and conventions as JSON; big tables beside it, offered as `.npy`. */
export interface Calibration {
  document: Record<string, unknown>;
  tables: Record<string, { dtype: string; shape: number[]; data: Uint8Array }>;
}

/**
 * - `starting`: the process runs and has not said anything yet
 * - `connecting`: looking for the device; the words say where and what went wrong last
 * - `running`: frames arrive
 * - `waiting`: connected, but the device gives nothing now (asleep, paused, no source)
 */
export type SensorState = "starting" | "connecting" | "running" | "waiting";

export interface SensorLog {
  debug(words: string, properties?: Record<string, unknown>): void;
  info(words: string, properties?: Record<string, unknown>): void;
  warn(words: string, properties?: Record<string, unknown>): void;
  error(words: string, properties?: Record<string, unknown>): void;
}

/** Settings of a device that can be read and changed while it runs: offered by one process of a sensor. */
export interface Controls {
  /** JSON Schema of what `set` takes: all keys are optional, what is not named stays as it is. */
  schema: Record<string, unknown>;
  /** As the device says, or as they were set last where it does not say. */
  get(): Promise<Record<string, unknown>>;
  /** Checks first, then applies all or nothing it can; gives the state afterwards. Throws {@link ControlError}. */
  set(values: unknown): Promise<Record<string, unknown>>;
}

/** Words for the user about a control that was not applied. */
export class ControlError extends Error {
  override name = "ControlError";
  /** `not-allowed`: the values are wrong; `unavailable`: the device does not answer, or refuses now. */
  readonly reason: "not-allowed" | "unavailable";

  constructor(words: string, options: { reason: "not-allowed" | "unavailable"; cause?: unknown }) {
    super(words, { cause: options.cause });
    this.reason = options.reason;
  }
}

export interface SensorContext {
  readonly name: string;
  /** First part of rings' names, for whoever reads other streams. */
  readonly prefix: string;
  /** Which of the kind's `parts` this process runs; "" where there is only one. */
  readonly part: string;
  /** Aborted when the hub wants this sensor to end: leave `run` soon, the writers are closed for you. */
  readonly signal: AbortSignal;
  readonly log: SensorLog;
  /** Counted things that are no error (`dropped`, `skipped`); add to them, the hub shows them. */
  readonly counters: Record<string, number>;
  /**
   * The writer of a stream, made at once: only now do readers see it. Asked again with the same name
   * it starts a new generation of that ring. The configured `slots` are applied here.
   */
  stream(name: string, spec: StreamSpec, options?: { payloadCapacity?: number }): RingWriter;
  /** What goes on, in a word and in words for people. The first frame says `running` by itself. */
  state(state: SensorState, words?: string): void;
  clock(clock: ClockState): void;
  calibration(stream: string, calibration: Calibration): void;
  /** To every other process of this sensor that runs now; whatever can be cloned. In order, not kept. */
  tell(message: unknown): void;
  /**
   * Called with what the others tell, and with which part told it; at once with what came before, while this
   * process was still loading. One listener.
   */
  heard(listener: (message: unknown, part: string) => void): void;
  /** Makes this process the one that answers for the sensor's controls. Call it before anything is awaited. */
  controls(controls: Controls): void;
}

export interface SensorKind<Config extends SensorConfig = SensorConfig> {
  readonly kind: string;
  /** One sentence for people who choose a sensor. */
  readonly summary: string;
  /** Made by {@link sensorConfig}: what is not named there stops the start of the hub. */
  readonly config: z.ZodType<Config>;
  streams(config: Config): PlannedStream[];
  /**
   * A kind may run as several processes, each with its own `context.part`, restarts and state: so that one
   * connection's decoder never delays another's. Default: one process.
   */
  parts?(config: Config): string[];
  /**
   * Runs until `context.signal` is aborted. Returning before that says that the source has come to
   * its end (a file played once): the sensor is `ended` and not started again.
   */
  run(config: Config, context: SensorContext): Promise<void>;
}

/**
 * A failure whose words are for the user. Anything else that leaves `run` is reported as a crash,
 * with its stack.
 */
export class SensorError extends Error {
  override name = "SensorError";
  /** false: trying again cannot help (a file that is not there for good, a missing library). */
  readonly retry: boolean;

  constructor(words: string, options: { retry: boolean; cause?: unknown }) {
    super(words, { cause: options.cause });
    this.retry = options.retry;
  }
}

export const streamName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/)
  .describe("1 to 63 of a-z 0-9 . _ -, the first and the last a letter or digit");

const commonKeys = {
  kind: z.string(),
  name: streamName,
  slots: z.number().int().min(4).max(65536).optional(),
};

/** The keys of a kind, together with those that every sensor takes. */
export function sensorConfig<Shape extends z.ZodRawShape>(keys: Shape) {
  return z.strictObject({ ...commonKeys, ...keys });
}

export type SensorConfig = { kind: string; name: string; slots?: number | undefined };
