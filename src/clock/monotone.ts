/** Holds a stream's times to their order: whatever a clock learns, none lies before the one published last. */
import type { Stamp } from "./device-clock.ts";

export type Monotone = (stamp: Stamp) => Stamp;

export function createMonotone(): Monotone {
  let newestNs: bigint | null = null;
  let epoch = 0;
  return (stamp) => {
    const { captureTimeNs, timeErrorNs, clockEpoch } = stamp;
    if (clockEpoch !== epoch) newestNs = null;
    epoch = clockEpoch;
    if (captureTimeNs === undefined) return stamp;
    const heldNs = newestNs === null ? 0n : newestNs - captureTimeNs;
    if (heldNs <= 0n) {
      newestNs = captureTimeNs;
      return stamp;
    }
    return {
      captureTimeNs: captureTimeNs + heldNs,
      timeErrorNs: timeErrorNs === undefined ? undefined : timeErrorNs + heldNs,
      clockEpoch,
    };
  };
}
