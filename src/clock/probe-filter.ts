/**
 * From probes to the device clock's offset with a bound that holds: a line over two minutes tells the
 * rate, each probe's interval is carried to now with it, and what they have in common is the answer:
 * its middle the offset, half its width the error.
 *
 * Times are bigint at the edge and doubles inside, as distances from the epoch's first probe: a double
 * holds whole ns exactly for 104 days, and is off by 1 ns in the next 104. Nothing here is known to 1 ns.
 */
import { type Interval, intersect } from "./interval.ts";
import { fitLine, type Line, type Point } from "./line.ts";

/** The device's clock read between two readings of ours. */
export interface Probe {
  /** Before the question was sent, CLOCK_MONOTONIC. */
  t0Ns: bigint;
  deviceNs: bigint;
  /** After the answer was here. */
  t3Ns: bigint;
}

/** The offset at one device time, and how its bound grows with the distance from there. */
export interface Estimate {
  epoch: number;
  deviceNs: bigint;
  /** Device time + offset = our time. */
  offsetNs: bigint;
  /** Of the offset, per ns of device time: above 0 where the device's clock is slow. */
  rate: number;
  errorNs: number;
  /** Of the error, per ns. */
  growth: number;
  leastRoundTripNs: number;
  /** t0 and t3 of the newest probe. */
  askedNs: bigint;
  answeredNs: bigint;
}

export interface ProbeFilter {
  /** In order, one after the other. True where it was the first of an epoch. */
  observe(probe: Probe): boolean;
  /** At the end of a burst: weighs all that is known. False where nothing is new. */
  settle(): boolean;
  /** The device began anew: a new epoch, and nothing known until the next probe. */
  reset(): void;
  readonly estimate: Estimate | null;
  readonly epoch: number;
  /** In this epoch. */
  readonly count: number;
  /** Those of the window that do not contradict the newest, oldest first. */
  readonly probes: readonly Probe[];
}

interface Mark extends Interval {
  probe: Probe;
  roundTripNs: number;
  burst: number;
}

const windowNs = 120e9;
/** Quartz is within 100 ppm, on both sides. */
const rateMax = 200e-6;
/** The rate itself wanders: by so much it may have been different before, or become so later. */
const wander = 2e-6;
/** So many standard errors of the fitted rate are granted on top. */
const rateErrors = 2;
/** A slope over less time is noise, and its own error not to be trusted; until then any quartz is possible. */
const slopeSpanNs = 30e9;
/**
 * A contradiction that quartz cannot explain is a step of one of the clocks. What slewing makes up for
 * before the next burst is left to it (this machine's time being slewed looks like that); more is a reset.
 */
const stepMaxNs = 10e6;

/** @param tickNs length of the device's tick: it may have read its clock that much before the next one */
export function createProbeFilter(tickNs: number): ProbeFilter {
  let marks: Mark[] = [];
  let origin: Probe | null = null;
  let estimate: Estimate | null = null;
  let rate = 0;
  let burst = 0;
  let count = 0;
  let epoch = 0;

  const reset = () => {
    // The rate stays: it is the same quartz, and until its slope is known again any other is as good.
    marks = [];
    origin = null;
    estimate = null;
    count = 0;
    epoch += 1;
  };

  const markOf = (probe: Probe, from: Probe): Mark => {
    const x = Number(probe.deviceNs - from.deviceNs);
    const roundTripNs = Number(probe.t3Ns - probe.t0Ns);
    const lower = Number(probe.t0Ns - from.t0Ns) - x;
    return { x, lower: lower - tickNs, upper: lower + roundTripNs, roundTripNs, probe, burst };
  };

  const settle = (): boolean => {
    const newest = marks.at(-1);
    if (!newest || !origin || newest.burst < burst) return false;
    burst += 1;
    marks = marks.filter(({ x }) => x > newest.x - windowNs);
    const { lower, upper, growth } = weigh();
    estimate = {
      epoch,
      deviceNs: newest.probe.deviceNs,
      offsetNs: origin.t0Ns - origin.deviceNs + BigInt(Math.round((lower + upper) / 2)),
      rate,
      errorNs: (upper - lower) / 2,
      growth,
      leastRoundTripNs: Math.min(...marks.map(({ roundTripNs }) => roundTripNs)),
      askedNs: newest.probe.t0Ns,
      answeredNs: newest.probe.t3Ns,
    };
    return true;
  };

  /** Leaves out marks that contradict newer ones, for the line as well. */
  const weigh = () => {
    for (;;) {
      const slope = slopeOf(marks, rate);
      if (slope) rate = Math.max(-rateMax, Math.min(rateMax, slope.rate));
      const unsure = slope ? wander + rateErrors * slope.rateError : rateMax;
      const growth = Math.min(rateMax, unsure);
      const x = (marks.at(-1) as Mark).x;
      const common = intersect(marks, { x, rate, growth });
      if (common.count === marks.length) return { ...common, growth };
      marks = marks.slice(-common.count);
    }
  };

  return {
    observe(probe) {
      if (estimate && wasReset(estimate, marks.at(-1) as Mark, probe)) reset();
      origin ??= probe;
      count += 1;
      marks.push(markOf(probe, origin));
      const first = marks.length === 1;
      // Frames are waiting: a first bound now, a better one at the end of the burst.
      if (first) settle();
      return first;
    },
    settle,
    reset,
    get estimate() {
      return estimate;
    },
    get epoch() {
      return epoch;
    },
    get count() {
      return count;
    },
    get probes() {
      return marks.map(({ probe }) => probe);
    },
  };
}

/** Ticks backwards, or an offset that even the worst quartz could not have come to. */
function wasReset(estimate: Estimate, newest: Mark, probe: Probe): boolean {
  if (probe.deviceNs < newest.probe.deviceNs) return true;
  const elapsed = Number(probe.deviceNs - estimate.deviceNs);
  const allowed = estimate.errorNs + rateMax * Math.abs(elapsed) + stepMaxNs;
  const carried = estimate.offsetNs + BigInt(Math.round(estimate.rate * elapsed));
  const below = Number(carried - (probe.t3Ns - probe.deviceNs));
  const above = Number(probe.t0Ns - probe.deviceNs - carried);
  return below > allowed || above > allowed;
}

/**
 * Through what each burst allows; null where they span too little. Twice: within half a second a clock
 * may come as far as the best bursts are wide, so the second round carries by the rate of the first.
 */
function slopeOf(marks: readonly Mark[], knownRate: number): Line | null {
  const bursts = [...Map.groupBy(marks, ({ burst }) => burst).values()];
  const span = (marks.at(-1)?.x ?? 0) - (marks[0]?.x ?? 0);
  if (bursts.length < 2 || span < slopeSpanNs) return null;
  const { rate } = fitLine(bursts.map((burst) => pointOf(burst, knownRate)));
  return fitLine(bursts.map((burst) => pointOf(burst, rate)));
}

function pointOf(burst: readonly Mark[], rate: number): Point {
  const { x } = burst.at(-1) as Mark;
  const { lower, upper } = intersect(burst, { x, rate, growth: wander });
  return { x, y: (lower + upper) / 2, widthNs: upper - lower };
}
