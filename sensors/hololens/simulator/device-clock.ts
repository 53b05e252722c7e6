/** The device's clock: 100 ns units that begin anew when it boots, and run a little fast or slow. */
import { monotonicNs } from "../../../src/ring/ffi.ts";

export interface DeviceClock {
  ticks(): bigint;
  /** What it shows at an instant of CLOCK_MONOTONIC, ns; of before the last boot: what it would have shown. */
  at(hostNs: bigint): bigint;
  /** How long until it shows `ticks`, ms; 0 or less: it does already. */
  msUntil(ticks: bigint): number;
  /** The count begins again, as if it had booted `seconds` ago. */
  reboot(seconds: number): void;
}

export interface ClockSettings {
  /** Of the device's clock against CLOCK_MONOTONIC at the start, 100 ns. */
  offsetTicks: bigint;
  /** Parts per million that it runs fast. */
  driftPpm: number;
}

/** Parts of 10^12: drifts of a millionth of a ppm. */
const whole = 1_000_000_000_000n;
const nsPerTick = 100n;

export function createDeviceClock({ offsetTicks, driftPpm }: ClockSettings): DeviceClock {
  const rate = whole + BigInt(Math.round(driftPpm * 1e6));
  let originNs = monotonicNs();
  let originTicks = originNs / nsPerTick + offsetTicks;
  if (originTicks < 0n) {
    const least = -Math.floor(Number(originNs) / 1e9);
    throw new RangeError(
      `The device's clock would begin below 0; allowed: an offset from ${least} s.`,
    );
  }

  const at = (hostNs: bigint) => originTicks + ((hostNs - originNs) * rate) / (nsPerTick * whole);
  const ticks = () => at(monotonicNs());

  return {
    at,
    ticks,
    msUntil: (instant) => Number(instant - ticks()) / (10_000 * (1 + driftPpm * 1e-6)),
    reboot(seconds) {
      originNs = monotonicNs();
      originTicks = BigInt(Math.round(seconds * 1e7));
    },
  };
}
