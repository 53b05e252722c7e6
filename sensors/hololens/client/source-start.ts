/**
 * The sources that must be opened before they stream. Neither command is answered; the server closes the
 * connection when it is done.
 */
import type { HololensConfig } from "../config.ts";
import type { StreamFamily } from "../wire/ports.ts";
import { encodeStart, encodeStop, type SubsystemStart, startOfSource } from "../wire/subsystem.ts";
import { type ConnectOptions, connect } from "./connection.ts";

/** Opening a camera takes seconds. */
const startMs = 10_000;
const stopMs = 1000;

/** What a stream's source is started with; null for streams that need no start. */
export function startCommand(family: StreamFamily, config: HololensConfig): Uint8Array | null {
  const options = startOptions(family, config);
  return options && encodeStart(options);
}

function startOptions(
  family: StreamFamily,
  config: HololensConfig,
): Partial<SubsystemStart> | null {
  const flag = (on: boolean) => (on ? 1 : 0);
  if (family === "pv") {
    const { mixedReality, shared } = config.pv;
    return { enableMrc: flag(mixedReality), shared: flag(shared) };
  }
  if (family === "extended-video") {
    const { group, source, cameraProfile, shared } = config.extendedVideo;
    return { ...startOfSource({ group, source, profile: cameraProfile }), shared: flag(shared) };
  }
  if (family === "extended-depth") {
    const { group, source, cameraProfile } = config.extendedDepth;
    return startOfSource({ group, source, profile: cameraProfile });
  }
  return null;
}

/** Resolves when the server is done with it, or has had its time: what is asked next waits in its queue. */
export async function startSource(options: ConnectOptions, command: Uint8Array): Promise<void> {
  await send(options, command, startMs);
}

/** On a connection of its own, while the stream's may still be open; bounded, because we are leaving. */
export async function stopSource(options: Omit<ConnectOptions, "signal">): Promise<void> {
  const over = AbortSignal.timeout(stopMs);
  await send({ ...options, signal: over, connectMs: stopMs }, encodeStop(), stopMs).catch(() => {});
}

async function send(options: ConnectOptions, command: Uint8Array, limitMs: number): Promise<void> {
  const connection = await connect(options);
  const timer = setTimeout(connection.destroy, limitMs);
  try {
    connection.write(command);
    connection.finish();
    const loss = await connection.ended;
    if (loss) throw loss; // nobody took the command
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}
