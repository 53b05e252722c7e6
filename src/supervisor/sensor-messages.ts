/**
 * What the hub and a sensor's process tell each other over IPC. The configuration comes this way and
 * never as arguments: addresses carry passwords, and every user of the machine can list arguments.
 */
import type {
  Calibration,
  ClockState,
  ControlError,
  SensorConfig,
  SensorState,
} from "../../sensors/sensor.ts";

export interface Configure {
  type: "configure";
  /** The module that maps kinds to their loaders: sensors/kinds.ts, or another in tests. */
  kindsModule: string;
  config: SensorConfig;
  /** Which of the kind's parts to run; "" where it has only one. */
  part: string;
  prefix: string;
  /** Number of the group that may read, null for none. */
  group: number | null;
  /** Where doorbell sockets lie. */
  directory: string;
  aliveMs: number;
}

export type ToSensor =
  | Configure
  | { type: "stop" }
  /** From another process of the same sensor. */
  | { type: "told"; message: unknown; from: string }
  | ControlQuestion;

/** `id` comes back with the answer. */
export type ControlQuestion = { type: "control"; id: number } & (
  | { ask: "get" }
  | { ask: "set"; values: unknown }
);

export type ControlAnswer =
  | { type: "control-state"; id: number; values: Record<string, unknown> }
  | { type: "control-refusal"; id: number; words: string; reason: ControlError["reason"] };

export type LogLevelName = "debug" | "info" | "warn" | "error";

export type FromSensor =
  /** Sent before the ring is made, so that the hub can clear it away whatever happens. */
  | { type: "stream"; name: string }
  | { type: "first-frame" }
  | { type: "alive"; counters: Record<string, number> }
  | { type: "state"; state: SensorState; words: string | null }
  | { type: "clock"; clock: ClockState }
  | { type: "calibration"; stream: string; calibration: Calibration }
  /** For the other processes of the sensor. */
  | { type: "tell"; message: unknown }
  /** This process answers for the sensor's controls. */
  | { type: "controls"; schema: Record<string, unknown> }
  | ControlAnswer
  | { type: "log"; level: LogLevelName; words: string; properties: Record<string, unknown> }
  /** A {@link SensorError}: words for the user, and whether trying again can help. */
  | { type: "failed"; words: string; retry: boolean }
  | { type: "ended" };
