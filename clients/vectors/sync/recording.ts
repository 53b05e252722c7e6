/** Makes recordings: frames of several streams, merged in the order in which they were published. */
import { reproducible } from "./pairing.ts";
import type { Trace, TraceEvent } from "./trace.ts";

export const ms = 1e6;

/** The same numbers from 0 to 1 on every machine (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Source {
  name: string;
  rate: number;
  /** When its first frame is captured. */
  fromNs?: number;
  untilNs: number;
  /** From capture to publication. */
  latencyNs?: number;
  /** Moves the capture time of frame `n`, counted from 0. */
  jitterNs?(n: number): number;
  /** Whether frame `n` was lost before it was published. The first one never is. */
  lost?(n: number): boolean;
  clockEpoch?(n: number): number;
}

interface Timed {
  atNs: number;
  event: TraceEvent & { captureNs: number };
}

function framesOf(source: Source): Timed[] {
  const { name, rate, fromNs = 0, untilNs, latencyNs = 0, jitterNs, lost, clockEpoch } = source;
  const frames: Timed[] = [];
  let publishedNs = 0;
  for (let n = 0; fromNs + (n * 1e9) / rate < untilNs; n++) {
    if (n > 0 && lost?.(n)) continue;
    const captureNs = Math.round(fromNs + (n * 1e9) / rate + (n > 0 ? (jitterNs?.(n) ?? 0) : 0));
    publishedNs = Math.max(publishedNs, captureNs + latencyNs); // a stream keeps its order
    const epoch = clockEpoch?.(n) ?? 0;
    const event = { stream: name, captureNs, ...(epoch > 0 && { clockEpoch: epoch }) };
    frames.push({ atNs: publishedNs, event });
  }
  return frames;
}

/** Everything in the order of publication; of the first frames the driver's comes last, see README.md. */
export function merged(sources: Source[], drives: string): TraceEvent[] {
  const all = sources.map(framesOf);
  const first = all
    .map(([one]) => one as Timed)
    .sort((a, b) => +(a.event.stream === drives) - +(b.event.stream === drives));
  const rest = all.flatMap((frames) => frames.slice(1)).sort((a, b) => a.atNs - b.atNs);
  return [...first, ...rest].map(({ event }) => event);
}

type Recording = Pick<Trace, "streams" | "toleranceNs" | "drives"> & { events: TraceEvent[] };

/**
 * Puts a restart after the `nth` frame of the stream; of a member after a later one, where every set is decided: no
 * answer may hang on how quickly the new writer comes.
 */
export function restarted(
  recording: Recording,
  stream: string,
  nth: number,
  restart: "renew" | "kill",
): TraceEvent[] {
  const { events, drives } = recording;
  let count = 0;
  for (const [index, event] of events.entries()) {
    if (event.stream !== stream || !("captureNs" in event)) continue;
    count++;
    const before = events.slice(0, index + 1);
    const asked = before.filter((one) => one.stream === drives && "captureNs" in one).length;
    const decided =
      stream === drives ? asked : reproducible({ ...recording, events: before }).length;
    if (count < nth || decided < asked) continue;
    return [...before, { stream, restart }, ...events.slice(index + 1)];
  }
  throw new Error(`no place for a restart of ${stream} after its frame ${nth}`);
}

/** Its writer ends after the `nth` frame. */
export function ended(
  events: TraceEvent[],
  stream: string,
  nth: number,
  end: "close" | "kill",
): TraceEvent[] {
  let count = 0;
  const at = events.findIndex((event) => {
    if (event.stream === stream && "captureNs" in event) count++;
    return count === nth;
  });
  const rest = events.slice(at + 1).filter((event) => event.stream !== stream);
  return [...events.slice(0, at + 1), { stream, end }, ...rest];
}
