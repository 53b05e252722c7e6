/**
 * A stream's own view of a probed clock: never backwards, never after its arrival, and no time at all
 * for a frame that shows a reset which no probe has confirmed yet.
 */
import type { Stamp, StreamClock, StreamOptions } from "./device-clock.ts";
import { createMonotone } from "./monotone.ts";
import type { Timeline } from "./timeline.ts";

export interface Stamped {
  timeline: Timeline;
  toNs(deviceTicks: bigint): bigint;
  /** Length of a tick: a frame was captured that much after its stamp at most. */
  tickNs: number;
  /** A frame shows what cannot be: probe soon. */
  doubt(): void;
}

/** Ticks that run back by more are a reset; by less, frames that overtook each other. */
const backwardsMaxNs = 1_000_000_000n;

export function createStreamStamps(
  { timeline, toNs, tickNs, doubt }: Stamped,
  { lagNs = 0n }: StreamOptions = {},
): StreamClock {
  const monotone = createMonotone();
  let newest: { epoch: number; deviceNs: bigint } | null = null;
  let doubtedNs: bigint | null = null;

  /** True until a probe asked after the doubt has shown that the clock is what it was, or a new one. */
  const ranBackwards = (deviceNs: bigint, arrivalNs: bigint): boolean => {
    const settled = doubtedNs !== null && (timeline.probedNs ?? 0n) > doubtedNs;
    if (settled || newest?.epoch !== timeline.epoch) {
      newest = null;
      doubtedNs = null;
    }
    if (newest && deviceNs < newest.deviceNs - backwardsMaxNs) doubtedNs ??= arrivalNs;
    return doubtedNs !== null;
  };

  const stamp = (deviceNs: bigint, arrivalNs: bigint): Stamp => {
    const clockEpoch = timeline.epoch;
    const unknown = { captureTimeNs: undefined, timeErrorNs: undefined, clockEpoch };
    const mapped = timeline.at(deviceNs);
    if (!mapped) return unknown;
    const errorNs = BigInt(Math.ceil(mapped.errorNs + tickNs));
    const yetToCome = mapped.captureNs - errorNs > arrivalNs;
    if (yetToCome || ranBackwards(deviceNs, arrivalNs)) {
      doubt();
      return unknown;
    }
    if (!newest || deviceNs > newest.deviceNs) newest = { epoch: clockEpoch, deviceNs };
    const captureNs = mapped.captureNs < arrivalNs ? mapped.captureNs : arrivalNs;
    return { captureTimeNs: captureNs - lagNs, timeErrorNs: errorNs, clockEpoch };
  };

  return { map: (ticks, arrivalNs) => monotone(stamp(toNs(ticks), arrivalNs)) };
}
