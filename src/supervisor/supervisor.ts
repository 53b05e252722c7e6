/** The hub's sensors: one process each, started, watched, restarted and ended here. */
import type { Calibration, Controls } from "../../sensors/sensor.ts";
import type { ConfiguredSensor } from "../config/config.ts";
import type { LogLine } from "./log-tail.ts";
import { type LifeTiming, lifeTiming } from "./part-life.ts";
import { SensorLife } from "./sensor-life.ts";
import type { SensorStatus } from "./sensor-status.ts";

export interface Supervisor {
  list(): SensorStatus[];
  get(name: string): SensorStatus | undefined;
  /** Does nothing where it runs already. Throws {@link UnknownSensor}. */
  start(name: string): Promise<SensorStatus>;
  /** Resolves when its process is gone and its rings are unlinked. */
  stop(name: string): Promise<SensorStatus>;
  restart(name: string): Promise<SensorStatus>;
  /**
   * Null where the sensor has none. They answer within seconds, or throw a ControlError; so does this where
   * nothing is known yet. Throws {@link UnknownSensor}.
   */
  controls(name: string): Controls | null;
  /** What it has said last, oldest first. Throws {@link UnknownSensor}. */
  log(name: string): readonly LogLine[];
  /** By the name of a stream, as its sensor told it last. */
  calibration(stream: string): Calibration | undefined;
  /** Called at each change of a status; returns the function that ends it. */
  subscribe(listener: (status: SensorStatus) => void): () => void;
  /** Ends every sensor. Nothing of them is left afterwards. */
  close(): Promise<void>;
}

export interface SupervisorOptions {
  sensors: ConfiguredSensor[];
  prefix: string;
  group: number | null;
  directory: string;
  /** Clears away what a killed process has left of these streams. */
  sweep(streams: string[]): void;
  /** Another map of kinds, for tests. */
  kindsModule?: string;
  timing?: Partial<LifeTiming>;
}

export class UnknownSensor extends Error {
  override name = "UnknownSensor";
}

/** Starts nothing yet: call `start` for each. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const listeners = new Set<(status: SensorStatus) => void>();
  const lives = new Map(
    options.sensors.map((sensor) => [
      sensor.name,
      new SensorLife({
        sensor,
        prefix: options.prefix,
        group: options.group,
        directory: options.directory,
        kindsModule:
          options.kindsModule ?? new URL("../../sensors/kinds.ts", import.meta.url).pathname,
        timing: { ...lifeTiming, ...options.timing },
        sweep: options.sweep,
        changed: (status) => {
          for (const listener of listeners) listener(status);
        },
      }),
    ]),
  );

  const life = (name: string) => {
    const found = lives.get(name);
    if (found) return found;
    const names = [...lives.keys()].join(", ") || "none";
    throw new UnknownSensor(`There is no sensor "${name}"; configured: ${names}`);
  };

  const supervisor: Supervisor = {
    list: () => [...lives.values()].map((one) => one.status),
    get: (name) => lives.get(name)?.status,
    async start(name) {
      await life(name).start();
      return life(name).status;
    },
    async stop(name) {
      await life(name).stop();
      return life(name).status;
    },
    async restart(name) {
      await life(name).stop();
      return supervisor.start(name);
    },
    controls: (name) => life(name).controls,
    log: (name) => life(name).log.lines,
    calibration(stream) {
      for (const one of lives.values()) {
        const found = one.calibrations.get(stream);
        if (found) return found;
      }
      return undefined;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await Promise.all([...lives.values()].map((one) => one.stop()));
    },
  };
  return supervisor;
}
