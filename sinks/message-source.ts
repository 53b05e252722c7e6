/** The messages of one stream from this process's start on, read like any reader does; the stream may come later. */
import type { SensorLog } from "../sensors/sensor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { type Frame, openReader, RingError, type RingReader } from "../src/ring.ts";
import type { SentMessage } from "./message-buffer.ts";

export interface MessageSource {
  prefix: string;
  signal: AbortSignal;
  counters: Record<string, number>;
  log: SensorLog;
  take(message: SentMessage): void;
}

const lookMs = 100;

/** Resolves when the signal is aborted. */
export async function followMessages(name: string, source: MessageSource): Promise<void> {
  const { signal, counters, log, prefix, take } = source;
  const startNs = monotonicNs();
  const reader = await opened(name, prefix, signal);
  if (!reader) return;
  let said = false;
  let first = true;
  while (!signal.aborted) {
    const frame = await reader.next({ timeoutMs: lookMs });
    if (!frame) continue;
    const { kind } = reader.descriptor;
    if (kind !== "message") {
      if (!said) log.warn(`stream ${name} is of kind ${kind}, not of messages: it is not sent`);
      said = true;
      continue;
    }
    // The first one given is the newest: those before it came between the stream's start and our look.
    const before = first ? reader.last(reader.descriptor.shm.slotCount - 1) : [];
    first = false;
    const given = [...before.filter(({ seq }) => seq < frame.seq), frame];
    for (const one of given) if (one.publishTimeNs >= startNs) pass(one);
  }
  reader.close();

  function pass(frame: Frame): void {
    const payload = copied(frame);
    counters.missed = (counters.missed ?? 0) + Number(frame.missed) + (payload ? 0 : 1);
    if (payload) take(messageOf(frame, payload));
  }
}

async function opened(
  name: string,
  prefix: string,
  signal: AbortSignal,
): Promise<RingReader | null> {
  while (!signal.aborted) {
    try {
      return await openReader(name, { prefix, timeoutMs: lookMs });
    } catch (error) {
      if (!(error instanceof RingError && error.code === "ENOENT")) throw error;
    }
  }
  return null;
}

/** Null where it was overwritten meanwhile. */
function copied(frame: Frame): Uint8Array | null {
  try {
    return frame.copy();
  } catch (error) {
    if (error instanceof RingError && error.code === "ESTALE") return null;
    throw error;
  }
}

function messageOf(frame: Frame, payload: Uint8Array): SentMessage {
  const { stream, generation, seq, captureTimeNs, publishUtcNs, refersTo } = frame;
  const asText = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
  return {
    stream,
    generation,
    sequence: seq,
    captureTimeNs,
    publishUtcNs,
    refersTo: refersTo && JSON.stringify(refersTo, asText),
    payload,
  };
}
