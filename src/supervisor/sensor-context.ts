/** What a sensor is given in its process: rings to write, and the hub's ear. */
import { type Calibration, type SensorContext, SensorError } from "../../sensors/sensor.ts";
import { elementCount, itemSize } from "../ring/descriptor.ts";
import { RingError } from "../ring/ffi.ts";
import { createWriter, type RingWriter } from "../ring.ts";
import { createControlAnswers } from "./control-answers.ts";
import type { Configure, FromSensor, LogLevelName, ToSensor } from "./sensor-messages.ts";

/** What comes from the hub while the sensor runs. */
export type Heard = Exclude<ToSensor, { type: "configure" | "stop" }>;
type Told = Extract<Heard, { type: "told" }>;

export interface ContextOwner {
  context: SensorContext;
  hear(message: Heard): void;
  /** Retires and unlinks every ring. */
  close(): void;
}

/** How often the first frame is looked for; it resets the back-off and says `running`. */
const firstFrameMs = 20;
/** Told by other parts while this one still loads; beyond that the oldest are lost. */
const earlyMax = 64;

export function createContext(
  configure: Configure,
  signal: AbortSignal,
  send: (message: FromSensor) => void,
): ContextOwner {
  const { config, part, prefix, group, directory, aliveMs } = configure;
  const writers = new Map<string, RingWriter>();
  const counters: Record<string, number> = {};
  const log =
    (level: LogLevelName) =>
    (words: string, properties: Record<string, unknown> = {}) =>
      send({ type: "log", level, words, properties });

  let listener: Parameters<SensorContext["heard"]>[0] | null = null;
  let early: Told[] = [];
  const answers = createControlAnswers(send);

  const alive = setInterval(() => send({ type: "alive", counters }), aliveMs);
  let looking: ReturnType<typeof setInterval> | undefined;
  const lookForFirstFrame = () => {
    if (![...writers.values()].some((writer) => writer.sequence > 0n)) return;
    clearInterval(looking);
    send({ type: "first-frame" });
  };

  const context: SensorContext = {
    name: config.name,
    prefix,
    part,
    signal,
    counters,
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    stream(name, spec, options = {}) {
      requireOwnName(name, config.name);
      const known = writers.get(name);
      if (known) {
        // Said even where it is not set: the capacity of the old shape must not live on.
        inWords(() => known.renew(spec, { payloadCapacity: options.payloadCapacity }));
        return known;
      }
      send({ type: "stream", name });
      const settings = { ...options, prefix, directory, slots: config.slots };
      const writer = inWords(() =>
        createWriter(name, spec, { ...settings, group: group ?? undefined }),
      );
      writers.set(name, writer);
      looking ??= setInterval(lookForFirstFrame, firstFrameMs);
      return writer;
    },
    state: (state, words) => send({ type: "state", state, words: words ?? null }),
    clock: (clock) => send({ type: "clock", clock }),
    calibration(stream, calibration) {
      requireOwnName(stream, config.name);
      requireWholeTables(calibration);
      send({ type: "calibration", stream, calibration });
    },
    tell: (message) => send({ type: "tell", message }),
    heard(given) {
      listener = given;
      const waiting = early;
      early = [];
      for (const { message, from } of waiting) given(message, from);
    },
    controls: answers.offer,
  };

  const hear = (heard: Heard) => {
    if (heard.type === "control") void answers.answer(heard);
    else if (listener) listener(heard.message, heard.from);
    else early = [...early, heard].slice(-earlyMax);
  };

  const close = () => {
    clearInterval(alive);
    clearInterval(looking);
    for (const writer of writers.values()) writer.close();
    writers.clear();
  };
  return { context, hear, close };
}

/** So that two sensors can never fight over a ring, and a ring tells whose it is. */
function requireOwnName(stream: string, sensor: string): void {
  if (stream === sensor || stream.startsWith(`${sensor}.`)) return;
  throw new Error(`stream "${stream}" must be named "${sensor}" or begin with "${sensor}."`);
}

/** They are served as files under their names. */
function requireWholeTables({ tables }: Calibration): void {
  for (const [name, { dtype, shape, data }] of Object.entries(tables)) {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw new Error(`table "${name}" must be named by letters, digits, _ and - alone`);
    }
    const bytes = itemSize(dtype) * elementCount(shape);
    if (data.length === bytes) continue;
    throw new Error(`table "${name}" of ${dtype} [${shape}] needs ${bytes} B, not ${data.length}`);
  }
}

/** A ring that cannot be made has its reason in words, and it may go away: no crash with a stack. */
function inWords<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    throw new SensorError(error.message, { retry: true, cause: error });
  }
}
