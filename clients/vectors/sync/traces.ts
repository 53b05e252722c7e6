/** The ten traces, each with what it is there for. The right answers are added by generate.ts. */
import { ended, merged, ms, random, restarted, type Source } from "./recording.ts";
import type { Trace, TraceEvent } from "./trace.ts";

type Recorded = Omit<Trace, "reproducible" | "available">;

interface Told {
  name: string;
  words: string;
  toleranceNs: number;
  /** Default: the slowest. */
  driver?: string;
  sources: Source[];
}

function recorded(
  { name, words, toleranceNs, driver, sources }: Told,
  change?: (trace: Recorded) => TraceEvent[],
) {
  const streams = sources.map(({ name, rate }) => ({ name, rate }));
  const least = Math.min(...streams.map(({ rate }) => rate));
  const drives = driver ?? (streams.find(({ rate }) => rate === least)?.name as string);
  const trace = {
    name,
    words,
    toleranceNs,
    driver: driver ?? null,
    drives,
    streams,
    events: merged(sources, drives),
  };
  return { ...trace, events: change?.(trace) ?? trace.events };
}

const untilNs = 2000 * ms;
const [cameraJitter, depthJitter, losses] = [random(1), random(2), random(3)];
const around = (next: () => number, mostNs: number) => () => (2 * next() - 1) * mostNs;

export const traces: Recorded[] = [
  recorded({
    name: "rates",
    words: "30, 45 and 5 Hz, driven by the slowest, whose frames come 40 ms late",
    toleranceNs: 12 * ms,
    sources: [
      { name: "camera", rate: 30, untilNs, latencyNs: 20 * ms },
      { name: "depth", rate: 45, untilNs, latencyNs: 5 * ms },
      { name: "far", rate: 5, untilNs: untilNs + 400 * ms, latencyNs: 40 * ms },
    ],
  }),
  recorded({
    name: "fast-driver",
    words:
      "30 Hz drives 45 and 5 Hz: most of its frames have none of the slow stream, and none is given twice",
    toleranceNs: 60 * ms,
    driver: "camera",
    sources: [
      { name: "depth", rate: 45, untilNs },
      { name: "camera", rate: 30, untilNs, latencyNs: 15 * ms },
      { name: "far", rate: 5, untilNs, latencyNs: 3 * ms },
    ],
  }),
  recorded({
    name: "jitter",
    words: "two cameras of 30 Hz whose times waver by 12 ms, also out of order with one another",
    toleranceNs: 9 * ms,
    driver: "camera",
    sources: [
      {
        name: "camera",
        rate: 30,
        untilNs,
        jitterNs: around(cameraJitter, 12 * ms),
        latencyNs: 8 * ms,
      },
      { name: "depth", rate: 30, untilNs, jitterNs: around(depthJitter, 12 * ms) },
    ],
  }),
  recorded({
    name: "ties",
    words:
      "members as near before as after (the earlier one counts), at the very instant, on the tolerance and 1 ns beyond",
    toleranceNs: 10 * ms,
    driver: "camera",
    sources: [
      { name: "camera", rate: 20, untilNs, latencyNs: 25 * ms },
      {
        name: "depth",
        rate: 100,
        untilNs,
        // by turns around an instant: one on it, none on it, the one before 1 ns too far, both too far
        lost: (n) => n % 5 === 0 && n % 20 !== 0,
        jitterNs(n) {
          const [turn, beside] = [Math.round(n / 5) % 4, n % 5];
          if (beside === 4 && turn >= 2) return -1;
          return beside === 1 && turn === 3 ? 1 : 0;
        },
      },
    ],
  }),
  recorded({
    name: "gaps",
    words: "frames lost one by one and in bursts, of the driver too",
    toleranceNs: 17 * ms,
    driver: "camera",
    sources: [
      { name: "camera", rate: 30, untilNs, lost: (n) => n % 11 < 3 },
      {
        name: "depth",
        rate: 45,
        untilNs,
        lost: (n) => losses() < 0.3 || (n > 30 && n < 55),
        latencyNs: 4 * ms,
      },
      { name: "far", rate: 5, untilNs, latencyNs: 30 * ms },
    ],
  }),
  recorded(
    {
      name: "renewed",
      words: "new generations under the same writer: of a member twice, of the driver once",
      toleranceNs: 10 * ms,
      driver: "camera",
      sources: [
        { name: "camera", rate: 30, untilNs, latencyNs: 3 * ms },
        { name: "depth", rate: 45, untilNs },
      ],
    },
    (trace) => {
      const once = { ...trace, events: restarted(trace, "depth", 20, "renew") };
      const twice = { ...trace, events: restarted(once, "camera", 25, "renew") };
      return restarted(twice, "depth", 60, "renew");
    },
  ),
  recorded(
    {
      name: "killed",
      words: "writers that are killed and followed by another one: a member's, the driver's",
      toleranceNs: 10 * ms,
      driver: "camera",
      sources: [
        { name: "camera", rate: 30, untilNs },
        { name: "depth", rate: 45, untilNs, latencyNs: 2 * ms },
      ],
    },
    (trace) => {
      const once = { ...trace, events: restarted(trace, "depth", 25, "kill") };
      return restarted(once, "camera", 40, "kill");
    },
  ),
  recorded(
    {
      name: "ended",
      words: "one member is closed and one is killed, both for good, while the driver goes on",
      toleranceNs: 20 * ms,
      driver: "camera",
      sources: [
        { name: "camera", rate: 30, untilNs },
        { name: "depth", rate: 45, untilNs, latencyNs: 10 * ms },
        { name: "far", rate: 5, untilNs, latencyNs: 10 * ms },
      ],
    },
    ({ events }) => ended(ended(events, "depth", 40, "close"), "far", 7, "kill"),
  ),
  recorded(
    {
      name: "clocks",
      words:
        "the member's clock is set back twice, its epoch grows; the last frames of both have no capture time, so that they count when they were published",
      toleranceNs: 10_000 * ms,
      driver: "camera",
      sources: [
        { name: "camera", rate: 10, untilNs },
        {
          name: "depth",
          rate: 15,
          untilNs,
          clockEpoch: (n) => Math.floor(n / 10),
          jitterNs: (n) => -75 * ms * Math.floor(n / 10),
          latencyNs: 90 * ms,
        },
      ],
    },
    ({ events }) => [
      ...events,
      { stream: "depth", captureNs: null },
      { stream: "camera", captureNs: null },
    ],
  ),
  recorded({
    name: "late",
    words: "one member has nothing before 400 ms, the other comes 150 ms after its capture",
    toleranceNs: 12 * ms,
    driver: "camera",
    sources: [
      { name: "camera", rate: 30, untilNs },
      { name: "depth", rate: 45, fromNs: 405 * ms, untilNs },
      { name: "far", rate: 30, untilNs, latencyNs: 150 * ms, jitterNs: () => 2 * ms },
    ],
  }),
];
