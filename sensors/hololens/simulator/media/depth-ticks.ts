/** Sensor ticks of the depth cameras. */

/** Counts of 62.976 MHz at a device time of 100 ns units. */
export function depthSensorTicks(ticks: bigint): bigint {
  return (ticks * 62_976n) / 10_000n;
}
