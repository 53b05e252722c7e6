/**
 * Timestamps: 100 ns units of the device's performance counter (QPC), which begins when it boots. Its
 * UTC is that plus an offset asked for once a session (remote configuration), as a Windows FILETIME.
 */

/** 1970-01-01 as a FILETIME, 100 ns since 1601-01-01. */
const unixEpoch = 116_444_736_000_000_000n;
const ticksPerSecond = 10_000_000n;

export function filetimeOf(qpc: bigint, utcOffset: bigint): bigint {
  return qpc + utcOffset;
}

/** 100 ns since 1970-01-01. */
export function unixTicksOf(filetime: bigint): bigint {
  return filetime - unixEpoch;
}

export function filetimeOfUnix(ticks: bigint): bigint {
  return ticks + unixEpoch;
}

export function secondsOf(ticks: bigint): number {
  // A double does not hold the ticks of today; it holds seconds and their fraction.
  return Number(ticks / ticksPerSecond) + Number(ticks % ticksPerSecond) / 1e7;
}

/** Counts of 62.976 MHz, as the depth cameras' footers have them, at a device time of 100 ns units. */
export function depthSensorTicks(ticks: bigint): bigint {
  return (ticks * 62_976n) / 10_000n;
}
