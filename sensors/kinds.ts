/** Every kind of sensor by its name in the config. Loaded only when used: some need big libraries. */
import type { SensorKind } from "./sensor.ts";

// A map of kinds with different configurations: each checks its own, so the type is given up here.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Load = () => Promise<SensorKind<any>>;

export const sensorKinds: Record<string, Load> = {
  "rand-camera": async () => (await import("./rand-camera.ts")).randCamera,
  "rand-microphone": async () => (await import("./rand-microphone.ts")).randMicrophone,
  ndi: async () => (await import("./ndi.ts")).ndi,
  hololens: async () => (await import("./hololens.ts")).hololens,
  video: async () => (await import("./video.ts")).video,
};
