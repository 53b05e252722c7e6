/**
 * When each picture and each block of a film is due on our clock, round after round.
 *
 * The film's own timestamps are the only measure, so nothing adds up: due = zero + time in the film. Zero
 * moves in two cases only: a round begins, or we are so late that catching up would be a rush.
 */
import { type Clock, monotonicClock, waitUntil } from "./wait.ts";

export interface FilmTime {
  /** Grows with each round and each jump in the film's time: its clock was set back. */
  readonly epoch: number;
  /** Time in the film + offset = our clock; null before the first picture. */
  readonly offsetNs: bigint | null;
  /** A round begins, whose first moment has this time in the film. */
  begin(originNs: bigint): void;
  /** Waits for the moment of a picture and gives it. The first one starts the film. */
  picture(mediaNs: bigint, durationNs: bigint, signal: AbortSignal): Promise<bigint>;
  /** Waits until a block has been heard to its end, and gives the moment of its beginning. */
  sound(mediaNs: bigint, endNs: bigint, signal: AbortSignal): Promise<bigint>;
  /** Waits for the end of the round, which has this time in the film; the next one begins there. */
  end(mediaNs: bigint, signal: AbortSignal): Promise<void>;
}

/** Later than this, the film is held instead: a computer that slept must not show a minute at once. */
const lateMaxNs = 200_000_000n;
/** Timestamps that jump so far are another film in the same file. */
const forwardMaxNs = 10_000_000_000n;
const backMaxNs = 1_000_000_000n;

export function createFilmTime(clock: Clock = monotonicClock): FilmTime {
  let zeroNs: bigint | null = null;
  let originNs = 0n;
  let epoch = -1;
  let expectedNs: bigint | null = null;

  /** Sound waits for the first picture: until then, it is never due. */
  const dueNs = (mediaNs: bigint) =>
    zeroNs === null ? clock.nowNs() + lateMaxNs : zeroNs + mediaNs - originNs;

  const followJump = (mediaNs: bigint) => {
    if (expectedNs === null) return;
    const jumpNs = mediaNs - expectedNs;
    if (jumpNs <= forwardMaxNs && jumpNs >= -backMaxNs) return;
    originNs += jumpNs;
    epoch += 1;
  };

  return {
    get epoch() {
      return epoch;
    },
    get offsetNs() {
      return zeroNs === null ? null : zeroNs - originNs;
    },
    begin(ns) {
      originNs = ns;
      expectedNs = null;
      epoch += 1;
    },
    async picture(mediaNs, durationNs, signal) {
      zeroNs ??= clock.nowNs();
      followJump(mediaNs);
      expectedNs = mediaNs + durationNs;
      await waitUntil(() => dueNs(mediaNs), signal, clock);
      const lateNs = clock.nowNs() - dueNs(mediaNs);
      if (lateNs > lateMaxNs) zeroNs += lateNs;
      return dueNs(mediaNs);
    },
    async sound(mediaNs, endNs, signal) {
      await waitUntil(() => dueNs(endNs), signal, clock);
      return dueNs(mediaNs);
    },
    async end(mediaNs, signal) {
      if (zeroNs === null) return;
      zeroNs = dueNs(mediaNs);
      await waitUntil(() => zeroNs as bigint, signal, clock);
    },
  };
}
