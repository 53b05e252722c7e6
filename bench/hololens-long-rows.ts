/** Rows of the ten minutes: what grew, what was lost, what was late. */
import type { Comparison, Row, Series, Unit } from "./bench.ts";
import type { SeenFrame } from "./hololens-hub.ts";
import { median, quantile, rowsOf } from "./statistics.ts";

const memory = "memory (PSS)";
const cpu = "CPU time, share of one core";
const frames = "frames";
const first = "first minute";
const last = "last minute";
const grown = "grown by";
const inAnHour = "grown in an hour, at this rate";

export interface Minute {
  /** By ring. */
  seen: Map<string, SeenFrame[]>;
  /** Median MB, by process. */
  memoryMb: Map<string, number>;
}

export interface Run {
  minutes: Minute[];
  /** Percent of a core, by process, from the beginning of the first minute to the end of the last. */
  cpuPercent: Map<string, number>;
  /** By stream: packets that became no frame, by the reason that the sensor gives. */
  counted: Map<string, Record<string, number>>;
  /** By ring. */
  published: Map<string, number>;
  sent: Map<string, { sent: number; frames: number }>;
}

export function rowsFor(run: Run): Row[] {
  return [...memoryRows(run), ...cpuRows(run), ...frameRows(run), ...latencyRows(run)];
}

function rows(unit: Unit, series: Series[], comparisons: Comparison[] = []): Row[] {
  return rowsOf("hololens-long", unit, [series], comparisons);
}

function one(kase: string, contender: string, condition: string, value: number): Series {
  return { case: kase, contender, condition, samples: [value] };
}

function memoryRows({ minutes }: Run): Row[] {
  const [begin, end] = [minutes[0] as Minute, minutes.at(-1) as Minute];
  const growth: Series[] = [];
  const held: Series[] = [];
  for (const [name, after] of end.memoryMb) {
    const before = begin.memoryMb.get(name) as number;
    held.push(one(memory, name, first, before), one(memory, name, last, after));
    growth.push(one(memory, name, grown, 100 * (after / before - 1)));
  }
  const goals = growth.map(({ contender }) => ({
    case: memory,
    contender,
    condition: grown,
    goal: { most: 5 },
  }));
  return [...rows("MB", held), ...rows("%", growth, goals)];
}

function cpuRows({ cpuPercent }: Run): Row[] {
  return rows(
    "%",
    [...cpuPercent].map(([name, percent]) => one(cpu, name, "all minutes", percent)),
  );
}

/** The main ring of a stream has a frame for each packet; a second one is held against it. */
function frameRows({ sent, published, counted }: Run): Row[] {
  const series: Series[] = [];
  const comparisons: Comparison[] = [];
  for (const [ring, count] of [...published].sort()) {
    const stream = ring.split(".")[1] as string;
    const its = sent.get(stream) ?? { sent: Number.NaN, frames: Number.NaN };
    const reasons = Object.values(counted.get(stream) ?? {});
    const left = reasons.reduce((sum, reason) => sum + reason, 0);
    series.push(
      one(frames, ring, "due by the device's clock", its.frames),
      one(frames, ring, "of these sent", its.sent),
      one(frames, ring, "published", count),
      one(frames, ring, "then left out and counted", left),
      one(frames, ring, "unaccounted for", its.sent - count - left),
    );
    const goal = { most: 0, least: 0 };
    comparisons.push({ case: frames, contender: ring, condition: "unaccounted for", goal });
  }
  return rows("frames", series, comparisons);
}

function latencyRows({ minutes }: Run): Row[] {
  const series: Series[] = [];
  const comparisons: Comparison[] = [];
  for (const ring of [...(minutes[0] as Minute).seen.keys()].sort()) {
    for (const [name, share] of [
      ["p50", 0.5],
      ["p99", 0.99],
    ] as const) {
      const kase = `last byte here until published, ${name}`;
      const at = minutes.map(({ seen }) => quantile(latencies(seen.get(ring) ?? []), share));
      series.push(
        one(kase, ring, first, at[0] as number),
        one(kase, ring, last, at.at(-1) as number),
      );
      if (name === "p99") continue;
      series.push(one(kase, ring, inAnHour, 60 * slopeOf(at)));
      comparisons.push({ case: kase, contender: ring, condition: inAnHour, goal: { most: 1e6 } });
    }
  }
  return rows("ns", series, comparisons);
}

/** Median of the slopes between all pairs: one disturbed minute does not tilt it. */
function slopeOf(values: number[]): number {
  const slopes = values.flatMap((from, i) =>
    values.slice(i + 1).map((to, distance) => (to - from) / (distance + 1)),
  );
  return median(slopes);
}

function latencies(seen: SeenFrame[]): number[] {
  return seen
    .map(({ arrivalNs, publishNs }) => Number(publishNs - arrivalNs))
    .sort((a, b) => a - b);
}
