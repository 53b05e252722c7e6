/**
 * The clock of a device that answers probes: an offset, a rate and a bound of the error, and for each
 * stream a way to stamp its frames with them. How: probe-filter.ts. When: bursts.ts.
 */
import type { ClockState } from "../../sensors/sensor.ts";
import { type DeviceClock, ticksToNs } from "./device-clock.ts";
import { createProbeFilter, type Probe } from "./probe-filter.ts";
import { createStreamStamps } from "./stream-stamps.ts";
import { createTimeline, type News } from "./timeline.ts";

/** The device's clock read between two readings of CLOCK_MONOTONIC, which makes it a fact. */
export interface TickProbe {
  /** Before the question was sent. */
  t0Ns: bigint;
  deviceTicks: bigint;
  /** When the answer was here. */
  t3Ns: bigint;
}

export interface ProbeClockOptions {
  /** Ten million for HoloLens, whose ticks are 100 ns. */
  ticksPerSecond: number;
  /** A frame cannot be of the clock that is known: probe soon. May be called for every frame. */
  doubt?: (() => void) | undefined;
  /** For the processes that follow this clock. */
  news?: ((news: News) => void) | undefined;
}

export interface ProbeClock extends DeviceClock {
  /** One at a time, in order. The first of an epoch gives a bound at once. */
  observe(probe: TickProbe): void;
  /** At the end of a burst. */
  settle(): void;
  /** When the newest probe was asked of those that the state rests on; null where none is known in this epoch. */
  readonly probedNs: bigint | null;
  /** Those of the last two minutes that agree, device time in ns, to fit them anew. */
  readonly probes: readonly Probe[];
}

/** For one process of several that hold connections to a device: it is told what the probing one knows. */
export interface FollowedClock extends Pick<DeviceClock, "stream"> {
  tell(news: News): void;
}

export function createFollowedClock(options: Omit<ProbeClockOptions, "news">): FollowedClock {
  const timeline = createTimeline();
  return { tell: timeline.add, stream: streamsOf(timeline, options) };
}

export function createProbeClock(options: ProbeClockOptions): ProbeClock {
  const { ticksPerSecond } = options;
  const filter = createProbeFilter(tickNsOf(ticksPerSecond));
  const timeline = createTimeline();

  const tell = () => {
    const { estimate, epoch } = filter;
    const news = estimate ? timeline.newsOf(estimate) : { epoch, piece: null };
    timeline.add(news);
    options.news?.(news);
  };

  return {
    method: "probe",
    arrived() {}, // when a packet arrives says nothing that probes do not say better
    stream: streamsOf(timeline, options),
    observe({ t0Ns, deviceTicks, t3Ns }) {
      if (t3Ns < t0Ns)
        throw new RangeError(`a probe answered ${t0Ns - t3Ns} ns before it was asked`);
      const first = filter.observe({
        t0Ns,
        deviceNs: ticksToNs(deviceTicks, ticksPerSecond),
        t3Ns,
      });
      if (first) tell();
    },
    settle() {
      if (filter.settle()) tell();
    },
    reset() {
      filter.reset();
      tell();
    },
    state: () => stateOf(filter),
    get probedNs() {
      return timeline.probedNs;
    },
    get probes() {
      return filter.probes;
    },
  };
}

function tickNsOf(ticksPerSecond: number): number {
  return Math.ceil(1e9 / ticksPerSecond);
}

function streamsOf(
  timeline: ReturnType<typeof createTimeline>,
  { ticksPerSecond, doubt = () => {} }: Omit<ProbeClockOptions, "news">,
): DeviceClock["stream"] {
  const toNs = (ticks: bigint) => ticksToNs(ticks, ticksPerSecond);
  const tickNs = tickNsOf(ticksPerSecond);
  return (stream) => createStreamStamps({ timeline, toNs, tickNs, doubt }, stream);
}

/** As of the newest burst. What frames carry is the same once the slew to it is over, a second later. */
function stateOf({ estimate, epoch, count }: ReturnType<typeof createProbeFilter>): ClockState {
  const whole = (ns: number) => BigInt(Math.ceil(ns));
  return {
    method: "probe",
    offsetNs: estimate?.offsetNs ?? null,
    errorNs: estimate && whole(estimate.errorNs),
    ratePpm: estimate && estimate.rate * 1e6,
    roundTripNs: estimate && whole(estimate.leastRoundTripNs),
    probes: count,
    probedNs: estimate?.askedNs ?? null,
    epoch,
  };
}
