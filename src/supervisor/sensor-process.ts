/**
 * The process of one sensor: waits for its configuration, runs the sensor, says what goes on.
 * It ends when told to, when its sensor ends, and when the hub is gone.
 */
import { SensorError, type SensorKind } from "../../sensors/sensor.ts";
import { endWithParent } from "../ring/ffi.ts";
import { type ContextOwner, createContext } from "./sensor-context.ts";
import type { Configure, FromSensor, ToSensor } from "./sensor-messages.ts";

const stop = new AbortController();
let owner: ContextOwner | null = null;

// Ctrl-C in a terminal reaches every process there: the hub decides, and tells us.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => stop.abort());
process.on("disconnect", () => stop.abort());
process.on("message", (message: ToSensor) => {
  if (message.type === "stop") stop.abort();
  else if (message.type === "configure") void live(message);
  else owner?.hear(message);
});

// A killed hub takes its sensors along even while one of them is stuck in native code.
endWithParent(process.ppid);

async function live(configure: Configure): Promise<void> {
  const made = createContext(configure, stop.signal, send);
  owner = made;
  try {
    const { sensorKinds } = await import(configure.kindsModule);
    const kind: SensorKind = await sensorKinds[configure.config.kind]();
    await kind.run(configure.config, made.context);
    await finish(made, stop.signal.aborted ? null : { type: "ended" });
  } catch (error) {
    await giveUp(made, error);
  }
}

async function giveUp(owner: ContextOwner, error: unknown): Promise<void> {
  if (stop.signal.aborted) return finish(owner, null); // what fails while ending is of no interest
  if (!(error instanceof SensorError)) throw error; // a crash: the stack on stderr, exit code 1
  const message: FromSensor = { type: "failed", words: error.message, retry: error.retry };
  if (!error.retry) return finish(owner, message);
  // The rings stay as they are, so that readers keep the last frames until the next attempt.
  await sendAndFlush(message);
  process.exit(0);
}

/** A clean end: readers are told, nothing is left behind. */
async function finish(owner: ContextOwner, message: FromSensor | null): Promise<void> {
  owner.close();
  if (message) await sendAndFlush(message);
  process.exit(0);
}

function send(message: FromSensor): void {
  if (process.connected) process.send?.(message);
}

function sendAndFlush(message: FromSensor): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
