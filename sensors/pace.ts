/** Made-up sensors keep time with this: deadlines on CLOCK_MONOTONIC that do not drift. */
import { monotonicNs } from "../src/ring/ffi.ts";

export interface Tick {
  /** Counts periods, so it grows by more than 1 where some were missed. */
  index: number;
  dueNs: bigint;
  /** Periods left out just before this one. */
  skipped: number;
}

export interface PaceOptions {
  signal: AbortSignal;
  /** Where a late tick may still be delivered, one after the other; beyond it periods are skipped. */
  catchUpNs?: bigint;
}

/**
 * One tick per period until the signal is aborted: tick `index` is due at `startNs + index/rate`.
 * The deadline is computed from the start each time, so rounding and late timers do not add up.
 */
export async function* pace(
  ratePerSecond: number,
  startNs: bigint,
  { signal, catchUpNs = 0n }: PaceOptions,
): AsyncGenerator<Tick> {
  let index = 0;
  while (!signal.aborted) {
    const dueNs = dueAt(startNs, index, ratePerSecond);
    await sleepUntil(dueNs, signal);
    if (signal.aborted) return;
    const current = currentPeriod(monotonicNs() - startNs - catchUpNs, ratePerSecond);
    const skipped = Math.max(0, current - index);
    index += skipped;
    yield { index, dueNs: dueAt(startNs, index, ratePerSecond), skipped };
    index += 1;
  }
}

/** Rounded to the nearest ns: a rate such as 29.97 has no whole period. */
function dueAt(startNs: bigint, index: number, ratePerSecond: number): bigint {
  const seconds = Math.floor(index / ratePerSecond);
  const rest = index / ratePerSecond - seconds;
  return startNs + BigInt(seconds) * 1_000_000_000n + BigInt(Math.round(rest * 1e9));
}

function currentPeriod(sinceStartNs: bigint, ratePerSecond: number): number {
  return sinceStartNs <= 0n ? 0 : Math.floor((Number(sinceStartNs) / 1e9) * ratePerSecond);
}

/** A timer of whole milliseconds, rounded up: early would mean a frame before its time. */
function sleepUntil(dueNs: bigint, signal: AbortSignal): Promise<void> {
  const waitNs = dueNs - monotonicNs();
  if (waitNs <= 0n) return yieldToEventLoop();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.ceil(Number(waitNs) / 1e6));
    signal.addEventListener("abort", done);
  });
}

/** A sensor that is always late must still hear the hub's messages. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
