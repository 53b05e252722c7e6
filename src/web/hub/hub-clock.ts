/**
 * The hub's CLOCK_MONOTONIC as this page sees it: asked over the live sockets, half a round trip is the
 * bound of the error. The question with the shortest round trip of the last minute counts.
 */

interface Comparison {
  /** Hub's time minus `performance.now()`, in ms. */
  offsetMs: number;
  errorMs: number;
  askedAtMs: number;
}

const keptMs = 60_000;
let comparisons: Comparison[] = [];
let best: Comparison | null = null;

/** @param monotonicNs what the hub answered to a question between these two moments of `performance.now()` */
export function compareClocks(monotonicNs: bigint, askedAtMs: number, answeredAtMs: number): void {
  const errorMs = (answeredAtMs - askedAtMs) / 2;
  const offsetMs = Number(monotonicNs) / 1e6 - (askedAtMs + errorMs);
  comparisons = comparisons.filter((one) => one.askedAtMs > askedAtMs - keptMs);
  comparisons.push({ offsetMs, errorMs, askedAtMs });
  // Another machine's clock, or the hub's after a restart of the machine: what was known of it is void.
  if (best && Math.abs(offsetMs - best.offsetMs) > errorMs + best.errorMs + 50) {
    comparisons = comparisons.slice(-1);
  }
  best = comparisons.reduce((one, other) => (other.errorMs < one.errorMs ? other : one));
}

/** A moment of `performance.now()` on the hub's clock; null before it was ever asked. */
export function hubTimeMs(atMs: number): { ms: number; errorMs: number } | null {
  return best && { ms: atMs + best.offsetMs, errorMs: best.errorMs };
}
