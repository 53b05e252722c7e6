/**
 * What the processes of one headset tell each other. `device` alone talks to the remote configuration
 * port: it knows whether the headset answers, and what its clock says.
 */
import type { News } from "../../../src/clock/timeline.ts";
import type { LossReason } from "./lost.ts";

export const devicePart = "device";

/** `starting`: not tried yet; `answers`: its last question was answered. */
export type Reach = "starting" | "answers" | LossReason;

export interface DeviceState {
  reach: Reach;
  /** Major, minor, build, revision, as it said last. */
  version: number[] | null;
  /** UTC (100 ns since 1601) = device time + this. */
  utcOffset: bigint | null;
}

/** What is asked, and what comes back. */
export interface Answers {
  /** Asks the headset first. */
  state: DeviceState;
  /** Null: it could not be asked. */
  "pv-status": "on" | "off" | null;
}
export type Question = keyof Answers;

export type FromDevice =
  | { type: "state"; state: DeviceState }
  /** `era`: of the device part's process; a new one begins to count its epochs anew. */
  | { type: "clock"; news: News; era: string }
  | { type: "answer"; id: string; answer: Answers[Question] };

export type ToDevice =
  /** Asks for the last news; with an epoch: those of this era must lie after it. */
  | { type: "hello"; epoch: number | null }
  /** A frame that the clock cannot explain: probe soon. */
  | { type: "doubt" }
  /** Settings of the camera are lost when it is started. */
  | { type: "pv-started" }
  | { type: "ask"; id: string; question: Question };

/** Servers from here on answer the question for their clock. */
export const clockVersion = [1, 0, 36, 0];

export function atLeast(version: readonly number[], wanted: readonly number[]): boolean {
  for (const [i, part] of wanted.entries()) {
    const difference = (version[i] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
