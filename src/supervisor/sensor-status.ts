/** A sensor as the hub shows it: what the API, the events and the log say about one. */
import type { ClockState } from "../../sensors/sensor.ts";

/**
 * - `starting`, `connecting`, `running`, `waiting`: as the sensor itself says (sensors/sensor.ts)
 * - `restarting`: its process has died or given up; a new one is started after the back-off
 * - `stopping`, `stopped`: on request
 * - `ended`: the source came to its end
 * - `failed`: trying again cannot help; the last error says why
 */
export const sensorStates = [
  "starting",
  "connecting",
  "running",
  "waiting",
  "restarting",
  "stopping",
  "stopped",
  "ended",
  "failed",
] as const;

export type SensorLifeState = (typeof sensorStates)[number];

export interface SensorStatus {
  name: string;
  kind: string;
  state: SensorLifeState;
  /** What goes on, for people; null when the state says it all. */
  words: string | null;
  pid: number | null;
  /** Processes started again after a crash, a hang or an error since the hub started. */
  restarts: number;
  /** Rings that it has asked for so far, and those it is known to make. */
  streams: string[];
  clock: ClockState | null;
  lastError: SensorFailure | null;
  counters: Record<string, number>;
  /** Empty where the sensor is one process. Else the rest is what its parts come to. */
  parts: PartStatus[];
}

/** One process of a sensor that runs as several. */
export interface PartStatus
  extends Pick<
    SensorStatus,
    "name" | "state" | "words" | "pid" | "restarts" | "streams" | "lastError" | "counters"
  > {}

export interface SensorFailure {
  /** Complete sentences, several lines where a crash left some on its stderr. */
  words: string;
  /** How often in a row. */
  count: number;
  /** ISO 8601, UTC. */
  at: string;
}
