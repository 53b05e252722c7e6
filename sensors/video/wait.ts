/** Waiting for an instant of CLOCK_MONOTONIC that may still move, or for the end. */
import { monotonicNs } from "../../src/ring/ffi.ts";

/** A wait that is longer is looked at again, so that a deadline that moved is seen. */
const stepMs = 100;

/** Tests have one that passes as they say. */
export interface Clock {
  nowNs(): bigint;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const monotonicClock: Clock = { nowNs: monotonicNs, sleep };

/** Resolves at `dueNs()` or when the signal is aborted. Never early, late by a timer's millisecond. */
export async function waitUntil(
  dueNs: () => bigint,
  signal: AbortSignal,
  clock = monotonicClock,
): Promise<void> {
  while (!signal.aborted) {
    const missingNs = dueNs() - clock.nowNs();
    if (missingNs <= 0n) return;
    await clock.sleep(Math.min(stepMs, Math.ceil(Number(missingNs) / 1e6)), signal);
  }
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
