/** A recorded trace: who published what and in which order, and the sets that belong together. */

/** In the order in which it happened. Times are capture times in ns from the start of the trace. */
export type TraceEvent =
  /** A frame; null: its capture time is unknown, so that it counts when it is published, after all that have one. */
  | { stream: string; captureNs: number | null; clockEpoch?: number }
  /** Its writer begins a new generation under the same lock. */
  | { stream: string; restart: "renew" }
  /** Its writer is killed, and another one takes the name over. */
  | { stream: string; restart: "kill" }
  /** Its writer ends for good: retired, or killed. */
  | { stream: string; end: "close" | "kill" };

export type MissingReason = "too early" | "too late" | "gap" | "stream down";

/** A frame by the count of its generation from 0, and its sequence. */
export type TraceFrame = [generation: number, sequence: number];

export type Member = TraceFrame | MissingReason;

/** By stream, the driver's frame too. */
export type TraceSet = Record<string, Member>;

export interface Trace {
  name: string;
  /** What it is there for. */
  words: string;
  toleranceNs: number;
  /** Null: the slowest by `rate`, which is `drives`. */
  driver: string | null;
  drives: string;
  streams: { name: string; rate: number }[];
  events: TraceEvent[];
  reproducible: TraceSet[];
  available: TraceSet[];
}
