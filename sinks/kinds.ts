/** Every kind of sink by its name in the config. A sink runs as a sensor does: one process, supervised; it only writes no ring. */
import type { SensorKind } from "../sensors/sensor.ts";

// As of sensors/kinds.ts: each kind checks its own configuration.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Load = () => Promise<SensorKind<any>>;

export const sensorKinds: Record<string, Load> = {
  redis: async () => (await import("./redis.ts")).redis,
};
