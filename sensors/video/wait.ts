/** Waiting for an instant of CLOCK_MONOTONIC that may still move, or for the end. */
import { monotonicNs } from "../../src/ring/ffi.ts";

/** A wait that is longer is looked at again, so that a deadline that moved is seen. */
const stepMs = 100;

/** Resolves at `dueNs()` or when the signal is aborted. Never early, late by a timer's millisecond. */
export async function waitUntil(dueNs: () => bigint, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const missingNs = dueNs() - monotonicNs();
    if (missingNs <= 0n) return;
    await sleep(Math.min(stepMs, Math.ceil(Number(missingNs) / 1e6)), signal);
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
