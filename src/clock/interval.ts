/**
 * What one probe proves: the device read its clock between our t0 and t3, so t0 - device <= offset <=
 * t3 - device, whatever the network did. Many probes together prove more than the best of them.
 */

export interface Interval {
  /** Device time. */
  x: number;
  /** Offset at x. */
  lower: number;
  upper: number;
}

export interface Common {
  lower: number;
  upper: number;
  /** So many of the newest agree; the one before them contradicts them all. */
  count: number;
}

/**
 * The offsets at `x` that all intervals allow, carried there with `rate`, each widened by `growth`
 * for its distance. Goes from the newest to older ones and ends at the first that leaves nothing:
 * what it proved is no longer so.
 * @param intervals in order of time, at least one
 */
export function intersect(
  intervals: readonly Interval[],
  { x, rate, growth }: { x: number; rate: number; growth: number },
): Common {
  const common = { lower: -Infinity, upper: Infinity, count: 0 };
  for (const interval of intervals.toReversed()) {
    const carried = rate * (x - interval.x);
    const widening = growth * Math.abs(x - interval.x);
    const lower = Math.max(common.lower, interval.lower + carried - widening);
    const upper = Math.min(common.upper, interval.upper + carried + widening);
    if (lower > upper) break;
    common.lower = lower;
    common.upper = upper;
    common.count += 1;
  }
  return common;
}
