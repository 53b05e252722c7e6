import { join } from "node:path";
import type { Bench, BenchContext, Comparison, Row, Series } from "./bench.ts";
import { type StreamCase, sensorName, streamCases } from "./hololens-cases.ts";
import {
  type Headset,
  type SeenFrame,
  startHeadset,
  startHeadsetHub,
  watchRing,
} from "./hololens-hub.ts";
import { cpuSeconds } from "./hub-process.ts";
import { Program } from "./program.ts";
import { quantile, rowsOf } from "./statistics.ts";

const usualWindowMs = 20_000;
const p50 = "last byte here until published, p50";
const p99 = "last byte here until published, p99";
const cpu = "CPU time of its process, for each frame";
const decoding = "decoding alone";
const published = "in the hub";
const more = "more than decoding";
const goals = { [p50]: 1e6, [p99]: 4e6 };

/** What takes a core for itself runs alone, all others together. */
function sessions(): StreamCase[][] {
  const heavy = streamCases.filter(isDecoded);
  return [...heavy.map((one) => [one]), streamCases.filter((one) => !isDecoded(one))];
}

/** The others are records, copied in no time. */
function isDecoded({ stream }: StreamCase): boolean {
  return /^(?:pv|vlc|depth|microphone)/.test(stream);
}

/** From the last byte on the socket to the ring, in the sensor's own processes. */
export const bench: Bench = {
  name: "hololens-latency",
  title: "A headset's packets: from the last byte to the ring",
  usual: false,
  async run(context) {
    const headset = await startHeadset(context);
    const series: Series[] = [];
    try {
      for (const cases of sessions()) {
        context.say(cases.map(({ name }) => name).join("; "));
        series.push(...(await session(context, headset, cases)));
      }
    } finally {
      await headset.end();
    }
    return { rows: rowsFor(series), absent: [] };
  },
};

async function session(context: BenchContext, headset: Headset, cases: StreamCase[]) {
  const streams = cases.map(({ stream }) => stream);
  const hub = await startHeadsetHub(context, headset, { ...cases[0]?.keys, streams });
  const alone: Program[] = [];
  try {
    const watches = await Promise.all(
      streams.map((stream) => watchRing(context.prefix, `${sensorName}.${stream}`)),
    );
    for (const measured of cases) {
      if (isDecoded(measured)) alone.push(await startAlone(context, measured));
    }
    await headset.settled();
    const parts = await hub.parts();
    const used = () => streams.map((stream) => cpuSeconds(parts.get(stream)?.pid as number));
    for (const watch of watches) watch.take();
    const before = used();
    const windowMs = usualWindowMs * Math.min(1, context.share);
    const wallNs = await Promise.all([...alone.map(during(windowMs)), Bun.sleep(windowMs)]);
    const after = used();
    const seen = watches.map((watch) => watch.take());
    for (const watch of watches) watch.close();
    return cases.flatMap((measured, i) => {
      const decodingNs = isDecoded(measured) ? (wallNs.shift() as number[]) : [0];
      const cpuNs = 1e9 * ((after[i] as number) - (before[i] as number));
      return seriesOf(measured, seen[i] ?? [], { decodingNs, cpuNs });
    });
  } finally {
    for (const program of alone) await program.end();
    await hub.end();
  }
}

/** The bare loop on the same packets, at the same rate and in the same seconds: what disturbs one disturbs the other. */
function startAlone({ environment }: BenchContext, { name }: StreamCase): Promise<Program> {
  const file = join(import.meta.dir, "hololens-decode-program.ts");
  const command = [process.execPath, file, "paced", name];
  return Program.start("hololens-decode", command, environment);
}

/** @returns ns on the clock of each packet */
function during(windowMs: number) {
  return async (program: Program): Promise<number[]> => {
    const wallNs: number[] = [];
    const endMs = performance.now() + windowMs;
    while (performance.now() < endMs) {
      wallNs.push(...(await program.round()).flatMap(({ samples }) => samples));
    }
    return wallNs;
  };
}

function seriesOf(
  { name }: StreamCase,
  seen: SeenFrame[],
  { decodingNs, cpuNs }: { decodingNs: number[]; cpuNs: number },
): Series[] {
  if (seen.length === 0) throw new Error(`${name}: no frame`);
  const latencyNs = seen.map(({ arrivalNs, publishNs }) => Number(publishNs - arrivalNs));
  return [
    ...latency(name, published, latencyNs),
    ...latency(name, decoding, decodingNs),
    one(name, cpu, published, cpuNs / seen.length),
  ];
}

function latency(kase: string, condition: string, ns: number[]): Series[] {
  const sorted = [...ns].sort((a, b) => a - b);
  return [
    { case: kase, contender: p50, condition, samples: ns },
    one(kase, p99, condition, quantile(sorted, 0.99)),
  ];
}

function one(kase: string, contender: string, condition: string, ns: number): Series {
  return { case: kase, contender, condition, samples: [ns] };
}

/** With what is left when decoding is taken off, which the goals are about. */
function rowsFor(series: Series[]): Row[] {
  const rows = rowsOf("hololens-latency", "ns", [series], []);
  const of = (kase: string, contender: string, condition: string) =>
    rows.find(
      (row) => row.case === kase && row.contender === contender && row.condition === condition,
    )?.p50 as number;
  const differences = streamCases.flatMap(({ name }) =>
    [p50, p99].map((contender) =>
      one(name, contender, more, of(name, contender, published) - of(name, contender, decoding)),
    ),
  );
  const comparisons: Comparison[] = differences.map(({ contender, ...rest }) => ({
    case: rest.case,
    contender,
    condition: more,
    goal: { most: goals[contender as keyof typeof goals] },
  }));
  return rowsOf("hololens-latency", "ns", [[...series, ...differences]], comparisons);
}
