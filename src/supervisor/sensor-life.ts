/**
 * The life of one sensor: its parts, started and stopped together, each with restarts of its own. What
 * one part tells the others passes through here.
 */
import {
  type Calibration,
  type ClockState,
  ControlError,
  type Controls,
} from "../../sensors/sensor.ts";
import type { ConfiguredSensor } from "../config/config.ts";
import { LogTail } from "./log-tail.ts";
import { PartLife, type PartOptions, type SensorNews } from "./part-life.ts";
import { sumOf } from "./parts-status.ts";
import type { SensorLifeState, SensorStatus } from "./sensor-status.ts";

export interface LifeOptions
  extends Pick<PartOptions, "prefix" | "group" | "directory" | "kindsModule" | "timing" | "sweep"> {
  sensor: ConfiguredSensor;
  changed(status: SensorStatus): void;
}

const resting: readonly SensorLifeState[] = ["stopped", "ended", "failed"];
/** Whoever has controls has offered them by then. */
const started: readonly SensorLifeState[] = ["connecting", "running", "waiting"];

export class SensorLife {
  /** By stream, as the sensor told them last. */
  readonly calibrations = new Map<string, Calibration>();
  readonly log = new LogTail();
  readonly #options: LifeOptions;
  readonly #parts: PartLife[];
  #clock: ClockState | null = null;

  constructor(options: LifeOptions) {
    const { sensor, changed: _, ...shared } = options;
    this.#options = options;
    this.#parts = sensor.parts.map((part) => {
      const life: PartLife = new PartLife({
        ...shared,
        config: sensor.config,
        part,
        changed: () => this.#changed(),
        said: (news) => this.#hear(news, life),
        logged: ({ level, words }) => this.log.add({ level, words, part }),
      });
      return life;
    });
  }

  get status(): SensorStatus {
    const { name, kind, streams: planned } = this.#options.sensor;
    const parts = this.#parts.map((part) => part.status);
    const sum = sumOf(parts);
    const streams = [...new Set([...planned.map((stream) => stream.name), ...sum.streams])];
    const shown = parts.length > 1 ? parts : [];
    return { name, kind, ...sum, streams, clock: this.#clock, parts: shown };
  }

  /** Also those of its parts that have come to rest alone. */
  async start(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.start()));
  }

  /** Resolves when every process is gone and nothing of them is left. */
  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  /**
   * Null where the kind has none. Throws {@link ControlError} where that is not known, because it does not
   * run.
   */
  get controls(): Controls | null {
    for (const { calls } of this.#parts) if (calls.controls) return calls.controls;
    if (this.#parts.every((part) => started.includes(part.status.state))) return null;
    const { name, state } = this.status;
    const words = `Sensor "${name}" does not run now (${state}); whether it has controls shows once it does.`;
    throw new ControlError(words, { reason: "unavailable" });
  }

  #changed(): void {
    const { status } = this;
    // Also planned rings, which another hub may have left; while a part lives they may be its own.
    if (this.#parts.every((part) => resting.includes(part.status.state))) {
      this.#options.sweep(status.streams);
    }
    this.#options.changed(status);
  }

  #hear(news: SensorNews, from: PartLife): void {
    switch (news.type) {
      case "clock":
        this.#clock = news.clock;
        this.#changed();
        break;
      case "calibration":
        this.calibrations.set(news.stream, news.calibration);
        break;
      case "tell":
        for (const part of this.#parts) {
          if (part !== from) part.tell(news.message, from.status.name);
        }
    }
  }
}
