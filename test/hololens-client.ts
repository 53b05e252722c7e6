/** A headset's sensor in this process, each part with a context of its own, and what they said. */

import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceTimers, runDevice } from "../sensors/hololens/client/device-part.ts";
import { devicePart } from "../sensors/hololens/client/parts.ts";
import { runStream, type Timers } from "../sensors/hololens/client/stream-part.ts";
import { type HololensConfig, hololensConfig } from "../sensors/hololens/config.ts";
import type { StreamName } from "../sensors/hololens/wire/ports.ts";
import type { Calibration, ClockState, Controls, SensorContext } from "../sensors/sensor.ts";
import { createWriter, type RingWriter } from "../src/ring.ts";
import { TestRings } from "./rings.ts";

export interface Said {
  states: { state: string; words: string }[];
  log: string[];
  calibrations: Map<string, Calibration>;
  clocks: ClockState[];
  counters: Record<string, number>;
  controls: Controls | null;
  /** What `run` threw. */
  failure: unknown;
}

export interface Part extends Said {
  readonly name: string;
  ended: Promise<void>;
  stop(): Promise<void>;
}

/** Calibrations of this file's headsets go to a folder of their own. */
export function useOwnCache(): string {
  const folder = mkdtempSync(join(tmpdir(), "streamem-test-"));
  process.env.XDG_CACHE_HOME = folder;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What is a loss stays as usual: a busy machine may take its time to answer. */
const quickBursts: DeviceTimers = { periodMs: 100, gapMs: 5 };
/** Where silence is what a test waits for. */
export const quickLosses: { device: DeviceTimers; stream: Timers } = {
  device: { ...quickBursts, answerMs: 500 },
  stream: { firstPacketMs: 700, idleMs: 500 },
};

export class TestHeadset {
  readonly rings: TestRings;
  readonly parts = new Map<string, Part>();
  readonly #ears = new Map<string, (message: unknown, from: string) => void>();

  constructor(
    label: string,
    readonly keys: Partial<HololensConfig> & { ports: number; streams: StreamName[] },
  ) {
    this.rings = new TestRings(label);
  }

  get config(): HololensConfig {
    return hololensConfig.parse({ kind: "hololens", name: "hl", host: "127.0.0.1", ...this.keys });
  }

  device(timers: DeviceTimers = quickBursts): Part {
    return this.#run(devicePart, (context) => runDevice(this.config, context, timers));
  }

  stream(name: StreamName, timers: Timers = {}): Part {
    return this.#run(name, (context) => runStream(this.config, context, name, timers));
  }

  #run(name: string, run: (context: SensorContext) => Promise<void>): Part {
    const over = new AbortController();
    const writers = new Map<string, RingWriter>();
    const said: Said = {
      states: [],
      log: [],
      calibrations: new Map(),
      clocks: [],
      counters: {},
      controls: null,
      failure: null,
    };
    const line = (words: string) => void said.log.push(words);
    const context: SensorContext = {
      name: "hl",
      prefix: "",
      part: name,
      signal: over.signal,
      counters: said.counters,
      log: { debug: line, info: line, warn: line, error: line },
      stream: (ring, spec, options = {}) => {
        const known = writers.get(ring);
        if (known) {
          known.renew(spec, { payloadCapacity: options.payloadCapacity });
          return known;
        }
        const { prefix, directory } = this.rings;
        const writer = createWriter(ring, spec, { prefix, directory, ...options });
        writers.set(ring, writer);
        return writer;
      },
      state: (state, words = "") => void said.states.push({ state, words }),
      clock: (clock) => void said.clocks.push(clock),
      calibration: (ring, calibration) => void said.calibrations.set(ring, calibration),
      tell: (message) => {
        const copy = structuredClone(message);
        for (const [part, hear] of this.#ears) {
          if (part !== name) queueMicrotask(() => hear(copy, name));
        }
      },
      heard: (listener) => void this.#ears.set(name, listener),
      controls: (controls) => {
        said.controls = controls;
      },
    };
    const ended = run(context).catch((error) => {
      said.failure = error;
    });
    const part = Object.assign(said, {
      name,
      ended,
      stop: async () => {
        over.abort();
        this.#ears.delete(name);
        await ended;
        for (const writer of writers.values()) writer.close();
      },
    });
    this.parts.set(name, part);
    return part;
  }

  async close(): Promise<void> {
    await Promise.all([...this.parts.values()].map((part) => part.stop()));
    await this.rings.close();
  }
}
