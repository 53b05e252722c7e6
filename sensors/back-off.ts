/** How long to wait before the next attempt: longer each time, and never in step with the other streams. */

const leastMs = 500;
const mostMs = 5000;
/** Of the wait, to either side. */
const jitter = 0.2;

export interface BackOff {
  /** Before the next attempt, ms; the one after it is twice as long. */
  next(): number;
  /** Something came: the next loss begins anew. */
  reset(): void;
}

/** @param least before the first attempt, ms; shorter in tests */
export function createBackOff(least = leastMs, random: () => number = Math.random): BackOff {
  let waitMs = least;
  return {
    next() {
      const now = waitMs * (1 - jitter + 2 * jitter * random());
      waitMs = Math.min(2 * waitMs, mostMs);
      return now;
    },
    reset() {
      waitMs = least;
    },
  };
}
