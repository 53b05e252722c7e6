import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, BenchContext, Comparison, Row, Series, Unit } from "./bench.ts";
import {
  type Headset,
  type HeadsetHub,
  type SeenFrame,
  startHeadset,
  startHeadsetHub,
  type Watch,
  watchRing,
} from "./hololens-hub.ts";
import { cpuSeconds, memoryMb } from "./hub-process.ts";
import { median, quantile, rowsOf } from "./statistics.ts";

const usualMinutes = 10;
const minuteMs = 60_000;
/** Before the first minute: the simulator renders and encodes what it then replays. */
const settlingSeconds = 75;
/** The simulator has fallen silent: what is under way arrives, and is counted. Reconnecting begins later. */
const drainMs = 3000;
const lastSeconds = 30;

/** So often memory is looked at: heaps breathe, a single look says little. */
const looks = 6;

const memory = "memory (PSS)";
const cpu = "CPU time, share of one core";
const frames = "frames";
const first = "first minute";
const second = "second minute";
const last = "last minute";
const grown = "grown by";
const inAnHour = "grown in an hour, at this rate";

interface Minute {
  /** By ring. */
  seen: Map<string, SeenFrame[]>;
  /** Median MB, by process. */
  memoryMb: Map<string, number>;
}

/** All streams of the example for as long as people use a headset: nothing may grow, nothing be lost unseen. */
export const bench: Bench = {
  name: "hololens-long",
  title: "A whole headset for ten minutes",
  usual: false,
  async run(context) {
    const minutes = Math.max(3, Math.round(usualMinutes * context.share));
    const silentAt = settlingSeconds + minutes * 60 + lastSeconds;
    const begunMs = performance.now();
    const headset = await startHeadset(context, ["--fault", `all:stall:600@${silentAt}`]);
    const run: Partial<Run> = {};
    try {
      const hub = await startHeadsetHub(context, headset, example());
      try {
        Object.assign(run, await measured(context, { headset, hub, minutes, begunMs }));
        await Bun.sleep(begunMs + 1000 * silentAt + drainMs - performance.now());
        run.counted = await countedBy(hub);
        run.published = await publishedBy(hub);
      } finally {
        await hub.end();
      }
    } finally {
      await headset.end();
    }
    run.sent = sentBy(await headset.log());
    return { rows: rowsFor(run as Run), absent: [] };
  },
};

interface Run {
  minutes: Minute[];
  /** Percent of a core, by process, from the beginning of the first minute to the end of the last. */
  cpuPercent: Map<string, number>;
  /** By stream: packets that became no frame, by the reason that the sensor gives. */
  counted: Map<string, Record<string, number>>;
  /** By ring. */
  published: Map<string, number>;
  sent: Map<string, { sent: number; frames: number }>;
}

/** Keys of the sensor, without those that say where it is. */
function example(): object {
  const file = join(import.meta.dir, "..", "examples", "hololens-simulated.yaml");
  const { sensors } = Bun.YAML.parse(readFileSync(file, "utf8")) as { sensors: object[] };
  const { kind, name, host, ...keys } = sensors[0] as Record<string, unknown>;
  return keys;
}

interface Measuring {
  headset: Headset;
  hub: HeadsetHub;
  minutes: number;
  begunMs: number;
}

async function measured(
  context: BenchContext,
  { headset, hub, minutes: count, begunMs }: Measuring,
): Promise<Pick<Run, "minutes" | "cpuPercent">> {
  await Bun.sleep(begunMs + settlingSeconds * 1000 - performance.now());
  const pids = await pidsOf(headset, hub);
  const rings = await ringsOf(hub);
  const watches = new Map<string, Watch>();
  for (const ring of rings) watches.set(ring, await watchRing(context.prefix, ring));
  const used = () => new Map([...pids].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const before = used();
  const startMs = performance.now();
  const minutes: Minute[] = [];
  for (let minute = 0; minute < count; minute++) {
    const taken: (readonly [string, number])[][] = [];
    for (let look = 1; look <= looks; look++) {
      await Bun.sleep(startMs + (minute + look / looks) * minuteMs - performance.now());
      taken.push([...pids].map(([name, pid]) => [name, memoryMb(pid).pss] as const));
    }
    const seen = new Map([...watches].map(([ring, watch]) => [ring, watch.take()]));
    minutes.push({ seen, memoryMb: mediansOf(taken.map(withTotal)) });
    context.say(`minute ${minute + 1} of ${count}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const shares = [...used()].map(
    ([name, end]) => [name, (100 * (end - (before.get(name) ?? 0))) / seconds] as const,
  );
  for (const watch of watches.values()) watch.close();
  return { minutes, cpuPercent: withTotal(shares) };
}

function withTotal(values: (readonly [string, number])[]): Map<string, number> {
  const total = values.reduce((sum, [, value]) => sum + value, 0);
  return new Map([...values, ["total", total]]);
}

function mediansOf(taken: Map<string, number>[]): Map<string, number> {
  const names = [...(taken[0] as Map<string, number>).keys()];
  const at = (name: string) => median(taken.map((one) => one.get(name) as number));
  return new Map(names.map((name) => [name, at(name)]));
}

async function pidsOf(headset: Headset, hub: HeadsetHub): Promise<Map<string, number>> {
  const parts = [...(await hub.parts())].map(([name, { pid }]) => [name, pid] as const);
  return new Map([["the simulator", headset.pid], ["the hub", hub.hubPid], ...parts]);
}

async function streamsOf({ url }: HeadsetHub) {
  const answer = await fetch(`${url}/api/v1/streams`);
  type Told = { name: string; counters: { frames: string } };
  return ((await answer.json()) as { streams: Told[] }).streams;
}

const ringsOf = async (hub: HeadsetHub) => (await streamsOf(hub)).map(({ name }) => name);

async function publishedBy(hub: HeadsetHub): Promise<Map<string, number>> {
  const streams = await streamsOf(hub);
  return new Map(streams.map(({ name, counters }) => [name, Number(counters.frames)]));
}

async function countedBy(hub: HeadsetHub): Promise<Run["counted"]> {
  const parts = [...(await hub.parts())];
  return new Map(parts.map(([name, { counters }]) => [name, counters]));
}

/** A line for each connection. */
function sentBy(log: string[]): Run["sent"] {
  const sent: Run["sent"] = new Map();
  for (const line of log) {
    const [, stream, packets, all] = /([a-z-]+): sent (\d+) of (\d+) frames/.exec(line) ?? [];
    if (stream === undefined) continue;
    const before = sent.get(stream) ?? { sent: 0, frames: 0 };
    sent.set(stream, {
      sent: before.sent + Number(packets),
      frames: before.frames + Number(all),
    });
  }
  return sent;
}

function rowsFor(run: Run): Row[] {
  return [...memoryRows(run), ...cpuRows(run), ...frameRows(run), ...latencyRows(run)];
}

function rows(unit: Unit, series: Series[], comparisons: Comparison[] = []): Row[] {
  return rowsOf("hololens-long", unit, [series], comparisons);
}

function one(kase: string, contender: string, condition: string, value: number): Series {
  return { case: kase, contender, condition, samples: [value] };
}

function memoryRows({ minutes }: Run): Row[] {
  // All has been used once when the first one is over.
  const [begin, end] = [minutes[1] as Minute, minutes.at(-1) as Minute];
  const growth: Series[] = [];
  const held: Series[] = [];
  for (const [name, after] of end.memoryMb) {
    const before = begin.memoryMb.get(name) as number;
    held.push(one(memory, name, second, before), one(memory, name, last, after));
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
