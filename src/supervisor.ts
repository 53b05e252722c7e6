/** The hub's sensors: one process each, started, watched, restarted and ended here. */
import type { Calibration } from "../sensors/sensor.ts";
import type { SensorStatus } from "./sensor-status.ts";

export interface Supervisor {
  list(): SensorStatus[];
  get(name: string): SensorStatus | undefined;
  /** Does nothing where it runs already. Throws {@link UnknownSensor}. */
  start(name: string): Promise<SensorStatus>;
  /** Resolves when its process is gone and its rings are unlinked. */
  stop(name: string): Promise<SensorStatus>;
  restart(name: string): Promise<SensorStatus>;
  /** By the name of a stream, as its sensor told it last. */
  calibration(stream: string): Calibration | undefined;
  /** Called at each change of a status; returns the function that ends it. */
  subscribe(listener: (status: SensorStatus) => void): () => void;
  /** Ends every sensor. Nothing of them is left afterwards. */
  close(): Promise<void>;
}

export class UnknownSensor extends Error {
  override name = "UnknownSensor";
}
