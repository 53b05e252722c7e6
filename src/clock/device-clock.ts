/**
 * What every sensor asks of its device's clock, whichever way that clock is compared with ours: by
 * probes (probe-clock.ts) or by arrivals alone (arrival-clock.ts).
 */
import type { ClockState } from "../../sensors/sensor.ts";

/** Spread it into a frame's meta: what is not known stays out. */
export interface Stamp {
  /** The instant on CLOCK_MONOTONIC. */
  captureTimeNs: bigint | undefined;
  /** Bound of its error; always unknown where only arrivals are seen. */
  timeErrorNs: bigint | undefined;
  /** Grows when the device's clock was reset. */
  clockEpoch: number;
}

/** One stream's view of the clock: its times never run backwards within an epoch. */
export interface StreamClock {
  /**
   * Call it in the order in which frames are published; an older frame after a newer one is the
   * sensor's to drop.
   * @param arrivalNs when this frame's first byte was here: nothing is captured after it has arrived
   */
  map(deviceTicks: bigint, arrivalNs: bigint): Stamp;
}

export interface StreamOptions {
  /** The stream's frames are stamped so long after they were captured; state it as `lagNs` in the descriptor. */
  lagNs?: bigint | undefined;
}

export interface DeviceClock {
  readonly method: "probe" | "one-way";
  /** A packet with this device time has arrived; call it in order of arrival, before `map`. */
  arrived(deviceTicks: bigint, arrivalNs: bigint): void;
  /** One for each stream, kept over reconnects: it notices ticks that run backwards. */
  stream(options?: StreamOptions): StreamClock;
  /** Told from outside that the device began anew: a new epoch. */
  reset(): void;
  state(): ClockState;
}

const secondNs = 1_000_000_000n;

/** Exact for every rate: 64-bit ticks do not fit a double. */
export function ticksToNs(ticks: bigint, ticksPerSecond: number): bigint {
  return (ticks * secondNs) / BigInt(ticksPerSecond);
}
