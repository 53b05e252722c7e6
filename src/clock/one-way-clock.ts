/**
 * A device's clock mapped to ours where nobody answers a probe (RTSP, NDI): only arrivals are seen.
 *
 * Arrival minus device time is the clock's offset plus a delay, and delays are never negative. So the
 * offset lies below every sample, and the line just below them all, over the last minute, is the offset
 * plus the least delay: drift becomes known, the constant part stays unknown. Hence frames stamped with
 * this state no error bound, and the descriptor says `one-way`.
 *
 * What the published times promise within an epoch: never later than the arrival (a fact, not an
 * estimate) and never backwards. Corrections that make them later are slewed.
 */

export interface OneWayClock {
  /** A packet with this device time has arrived. Call it in order of arrival. */
  observe(deviceNs: bigint, arrivalNs: bigint): void;
  /** The instant on our clock. Call it in order of device time; `arrivalNs` is that frame's own. */
  captureTimeNs(deviceNs: bigint, arrivalNs: bigint): bigint;
  /** Told from outside that the device began anew (a reconnect). */
  reset(): void;
  readonly state: OneWayClockState;
}

export interface OneWayClockState {
  /** Device time in ns + offset = our clock; null before the first sample. */
  offsetNs: bigint | null;
  /** How much slower the device's clock runs; null until ten seconds are seen. */
  ratePpm: number | null;
  samples: number;
  /** Grows when the device's clock was reset. */
  epoch: number;
}

const secondNs = 1_000_000_000;
const windowNs = 60 * secondNs;
/** The least delay of each second is enough: the envelope never touches the others. */
const bucketNs = secondNs;
/** A slope from less time than this is noise. */
const slopeSpanNs = 10 * secondNs;
/** Quartz is within 100 ppm, on both sides. */
const rateMax = 200e-6;
/** Later by at most 10 ms per second: an interval of 40 ms grows by 0.4. */
const slewMax = 0.01;
const jumpNs = BigInt(secondNs);
/** So long must every packet come a second late before it is the clock and not the network. */
const lateForNs = BigInt(5 * secondNs);

/** The earliest packet of a second: its device time and how much later it arrived. */
interface Lowest {
  bucket: bigint;
  deviceNs: bigint;
  delayNs: bigint;
}

/** Delay as a line over device time, around a sample to keep the numbers small. */
interface Line {
  deviceNs: bigint;
  delayNs: bigint;
  rate: number;
}

export function createOneWayClock(): OneWayClock {
  let lowest: Lowest[] = [];
  let line: Line | null = null;
  let newestDeviceNs = 0n;
  let lateSinceNs: bigint | null = null;
  let beganNs = 0n;
  let applied: { offsetNs: bigint; atNs: bigint } | null = null;
  let last: { deviceNs: bigint; captureNs: bigint } | null = null;
  let samples = 0;
  let epoch = 0;

  const begin = () => {
    lowest = [];
    line = null;
    applied = null;
    last = null;
    lateSinceNs = null;
    samples = 0;
  };

  const reset = () => {
    begin();
    epoch += 1;
  };

  /** The rule of a device's reset: ticks backwards, or a jump of more than a second either way. */
  const wasReset = (deviceNs: bigint, arrivalNs: bigint): boolean => {
    if (!line) return false;
    // Pictures are sent out of order, but never by a second.
    if (deviceNs < newestDeviceNs - jumpNs) return true;
    const above = arrivalNs - deviceNs - delayAt(line, deviceNs);
    // A server that begins with a burst of old frames is no reset, so not in the first seconds.
    if (above < -jumpNs) return arrivalNs - beganNs > lateForNs;
    if (above <= jumpNs) {
      lateSinceNs = null;
      return false;
    }
    lateSinceNs ??= arrivalNs;
    return arrivalNs - lateSinceNs > lateForNs;
  };

  const observe = (deviceNs: bigint, arrivalNs: bigint) => {
    if (wasReset(deviceNs, arrivalNs)) reset();
    if (!line) {
      beganNs = arrivalNs;
      newestDeviceNs = deviceNs;
    }
    samples += 1;
    if (deviceNs > newestDeviceNs) newestDeviceNs = deviceNs;
    const sample = {
      bucket: arrivalNs / BigInt(bucketNs),
      deviceNs,
      delayNs: arrivalNs - deviceNs,
    };
    if (keep(lowest, sample)) line = envelope(lowest);
  };

  const captureTimeNs = (deviceNs: bigint, arrivalNs: bigint): bigint => {
    const wanted = line ? delayAt(line, deviceNs) : arrivalNs - deviceNs;
    let offsetNs = wanted;
    if (applied && wanted > applied.offsetNs) {
      const elapsed = Math.max(0, Number(arrivalNs - applied.atNs));
      const most = applied.offsetNs + BigInt(Math.round(elapsed * slewMax));
      if (most < wanted) offsetNs = most;
    }
    if (offsetNs > arrivalNs - deviceNs) offsetNs = arrivalNs - deviceNs;
    applied = { offsetNs, atNs: arrivalNs };
    let captureNs = deviceNs + offsetNs;
    if (last && deviceNs >= last.deviceNs && captureNs < last.captureNs) captureNs = last.captureNs;
    last = { deviceNs, captureNs };
    return captureNs;
  };

  return {
    observe,
    captureTimeNs,
    reset,
    get state() {
      const spanNs = lowest.length > 1 ? newestDeviceNs - (lowest[0] as Lowest).deviceNs : 0n;
      return {
        offsetNs: line ? delayAt(line, newestDeviceNs) : null,
        ratePpm: line && spanNs >= BigInt(slopeSpanNs) ? line.rate * 1e6 : null,
        samples,
        epoch,
      };
    },
  };
}

function delayAt(line: Line, deviceNs: bigint): bigint {
  return line.delayNs + BigInt(Math.round(Number(deviceNs - line.deviceNs) * line.rate));
}

/** True when the envelope may have changed. */
function keep(lowest: Lowest[], sample: Lowest): boolean {
  const oldest = sample.bucket - BigInt(windowNs / bucketNs);
  while (lowest[0] && lowest[0].bucket <= oldest) lowest.shift();
  const current = lowest.at(-1);
  if (current?.bucket !== sample.bucket) {
    lowest.push(sample);
    return true;
  }
  if (sample.delayNs >= current.delayNs) return false;
  lowest[lowest.length - 1] = sample;
  return true;
}

/** The highest line that lies below all of them: highest at their mean, as in linear programming. */
function envelope(lowest: Lowest[]): Line {
  const base = lowest[0] as Lowest;
  const points = lowest
    .map((low) => ({
      x: Number(low.deviceNs - base.deviceNs),
      y: Number(low.delayNs - base.delayNs),
    }))
    .sort((a, b) => a.x - b.x);
  const span = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  const slope = span >= slopeSpanNs ? slopeOfHull(points) : 0;
  const rate = Math.max(-rateMax, Math.min(rateMax, slope));
  const height = Math.min(...points.map(({ x, y }) => y - rate * x));
  return {
    deviceNs: base.deviceNs,
    delayNs: base.delayNs + BigInt(Math.round(height)),
    rate,
  };
}

/** Slope of that edge of the lower hull which spans the mean. */
function slopeOfHull(points: { x: number; y: number }[]): number {
  const hull: { x: number; y: number }[] = [];
  for (const point of points) {
    for (;;) {
      const [a, b] = hull.slice(-2);
      if (!a || !b) break;
      const turnsLeft = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0;
      if (turnsLeft) break;
      hull.pop();
    }
    hull.push(point);
  }
  const mean = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const right = Math.max(
    1,
    hull.findIndex(({ x }) => x >= mean),
  );
  const [a, b] = [hull[right - 1], hull[right]];
  return a && b && b.x > a.x ? (b.y - a.y) / (b.x - a.x) : 0;
}
