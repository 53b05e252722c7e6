/** One connection of a stream: what is asked for, then packets until the end, which is always a loss. */
import type { SensorContext } from "../../sensor.ts";
import type { Arrived, Receiver } from "../streams/receiver.ts";
import { createByteReader } from "../wire/byte-reader.ts";
import { type Framing, readPacket } from "../wire/packet.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { type Connection, type ConnectOptions, connect } from "./connection.ts";
import type { Phase } from "./loss-words.ts";
import { ConnectionLost } from "./lost.ts";
import { createPump } from "./pump.ts";

export interface StreamTimers {
  connectMs?: number;
  /** To the first packet: starting a camera takes its time. */
  firstPacketMs: number;
  /** Between packets. */
  idleMs: number;
}

export interface StreamSession extends ConnectOptions {
  context: Pick<SensorContext, "counters" | "log">;
  receiver: Receiver;
  configuration: Uint8Array;
  framing: Framing;
  timers: StreamTimers;
  /** Configured; nothing has come yet. */
  asked(): void;
  /** For each packet as it arrives, before it is decoded. */
  arrived(ticks: bigint, arrivalNs: bigint): void;
}

/** The headset was started anew while a connection was tried: what was fetched from it is old. */
export class Restarted extends Error {
  override name = "Restarted";
}

/** A loss, and where in the session it happened. */
export class SessionLost extends Error {
  override name = "SessionLost";
  constructor(
    readonly phase: Phase,
    override readonly cause: unknown,
  ) {
    super(`${phase}: ${cause}`, { cause });
  }
}

/** @throws SessionLost in the end: a healthy server never ends a stream by itself */
export async function runSession(session: StreamSession): Promise<never> {
  let phase: Phase = "connecting";
  let connection: Connection | null = null;
  try {
    connection = await connect({ ...session, connectMs: session.timers.connectMs });
    phase = "asked";
    if (session.configuration.byteLength > 0) connection.write(session.configuration);
    session.asked();
    await receive(connection, session, () => {
      phase = "streaming";
    });
    throw new ConnectionLost("closed");
  } catch (error) {
    throw isLoss(error) ? new SessionLost(phase, error) : error;
  } finally {
    connection?.destroy();
  }
}

/** Anything else is a fault of ours, and ends the process in its own words. */
function isLoss(error: unknown): boolean {
  return [ConnectionLost, ProtocolError, Restarted].some((kind) => error instanceof kind);
}

async function receive(
  connection: Connection,
  session: StreamSession,
  begun: () => void,
): Promise<void> {
  const { receiver, context, signal } = session;
  receiver.begin();
  const pump = createPump({ receiver, context });
  const taking = pump.run();
  taking.catch(() => connection.destroy()); // what was thrown is awaited below
  try {
    await read(connection, session, (packet) => {
      begun();
      pump.push(packet);
    });
  } finally {
    if (signal.aborted) pump.stop();
    pump.end();
    await taking; // a receiver's own error says more than the end that it led to
  }
}

async function read(
  connection: Connection,
  { framing, timers, arrived }: StreamSession,
  took: (packet: Arrived) => void,
): Promise<void> {
  const reader = createByteReader(connection.chunks, framing.where);
  connection.limitSilence(timers.firstPacketMs);
  for (let first = true; ; first = false) {
    const packet = await reader.read(readPacket(framing));
    if (packet === null) return;
    const { arrivalNs } = connection;
    if (first) connection.limitSilence(timers.idleMs);
    arrived(packet.timestamp, arrivalNs);
    took({ ...packet, arrivalNs });
  }
}
