import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openReader, type RingReader } from "../src/ring.ts";
import type { Bench, BenchContext, Row, Series, Unit } from "./bench.ts";
import { cpuNs, memoryMb, type StartedHub, startHub } from "./hub-process.ts";
import { compileC, Program } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const main = join(import.meta.dir, "..", "src", "main.ts");
const minutes = 10;
const windowMs = 10_000;

interface Sensor {
  kind: string;
  name: string;
  [key: string]: string | number;
}

const times = (count: number, of: (i: number) => Sensor) =>
  Array.from({ length: count }, (_, i) => of(i + 1));

/** What a lab has: four cameras, six sensors of 200 records/s with six numbers each, two microphones. */
const heavy = [
  ...times(4, (i) => ({
    kind: "rand-camera",
    name: `camera-${i}`,
    width: 1920,
    height: 1080,
    fps: 30,
  })),
  ...times(6, (i) => ({
    kind: "rand-microphone",
    name: `imu-${i}`,
    sampleRateHz: 200,
    channels: 6,
    frameSamples: 1,
  })),
  ...times(2, (i) => ({ kind: "rand-microphone", name: `audio-${i}` })),
];
const configurations: { name: string; sensors: Sensor[] | null; streams: string[] }[] = [
  { name: "default", sensors: null, streams: ["rand-camera", "rand-microphone"] },
  { name: "heavy", sensors: heavy, streams: heavy.map(({ name }) => name) },
];

/** Streams of a kind stand together. */
const groupOf = (stream: string) => stream.replace(/-\d+$/, "");

/** The whole hub with readers in three languages, for ten minutes each in its default and in a heavy configuration. */
export const bench: Bench = {
  name: "hub",
  title: "The whole hub",
  usual: false,
  async run(context) {
    const rows: Row[] = [];
    for (const configuration of configurations)
      rows.push(...(await runOne(configuration, context)));
    return { rows, absent: [] };
  },
};

async function runOne(
  { name, sensors, streams }: (typeof configurations)[number],
  context: BenchContext,
): Promise<Row[]> {
  const folder = join(context.folder, name);
  mkdirSync(folder, { recursive: true });
  const command = [process.execPath, main, "hub", "--json", "--port", "0"];
  if (sensors) {
    await Bun.write(join(folder, "hub.yaml"), JSON.stringify({ sensors }));
    command.push("--config", join(folder, "hub.yaml"));
  }
  const start = performance.now();
  const hub = await startHub(command, folder, context.environment);
  const programs: Program[] = [];
  try {
    await firstFrames(streams, context);
    const startUp = (performance.now() - start) / 1000;
    programs.push(...(await startReaders(streams, context)));
    const rounds: Series[][] = [];
    const count = Math.max(2, Math.round((minutes * 60_000 * context.share) / windowMs));
    for (const program of programs) await program.round(); // what came while they started
    for (let window = 0; window < count; window++) {
      rounds.push(await oneWindow(hub, programs));
      context.say(`${name}: window ${window + 1} of ${count}`);
    }
    return hubRows(name, startUp, rounds, memoryOf(hub));
  } finally {
    for (const program of programs) await program.end();
    await hub.end();
  }
}

/** Resolves once every stream has a frame. */
async function firstFrames(streams: string[], { prefix }: BenchContext): Promise<void> {
  const readers: RingReader[] = [];
  for (const stream of streams) {
    readers.push(await openReader(stream, { prefix, timeoutMs: 20_000 }));
  }
  for (const reader of readers) while (reader.latest() === null) await Bun.sleep(1);
  for (const reader of readers) reader.close();
}

function startReaders(streams: string[], context: BenchContext): Promise<Program[]> {
  const file = (name: string) => join(import.meta.dir, name);
  const commands = {
    C: [compileC("hub-reader", context)],
    Python: ["python3", file("hub-reader.py")],
    TypeScript: [process.execPath, file("hub-reader.ts")],
  };
  return Promise.all(
    Object.entries(commands).map(([name, command]) =>
      Program.start(name, [...command, ...streams], context.environment),
    ),
  );
}

async function oneWindow(hub: StartedHub, programs: Program[]): Promise<Series[]> {
  const used = () => [...hub.pids].map(([name, pid]) => ({ name, ns: cpuNs(pid) }));
  const before = used();
  const start = performance.now();
  await Bun.sleep(windowMs);
  const after = used();
  const ms = performance.now() - start;
  const cpu = after.map(({ name, ns }, i) => ({
    case: "CPU time, share of one core",
    contender: groupOf(name),
    condition: "cpu",
    samples: [((ns - (before[i]?.ns ?? 0)) / (ms * 1e6)) * 100],
  }));
  const all = cpu.reduce((sum, { samples }) => sum + (samples[0] as number), 0);
  const total = {
    case: "CPU time, share of one core",
    contender: "total",
    condition: "cpu",
    samples: [all],
  };
  const read = (await Promise.all(programs.map((program) => program.round()))).flat();
  return [...cpu, total, ...read];
}

function memoryOf(hub: StartedHub): Series[] {
  const found = [...hub.pids].map(([name, pid]) => ({ name: groupOf(name), ...memoryMb(pid) }));
  const kinds = { "proportional memory (PSS)": "pss", "of it rings": "pssShared" } as const;
  return Object.entries(kinds).flatMap(([kase, key]) => {
    const total = found.reduce((sum, process) => sum + process[key], 0);
    const each = found.map((process) => ({ contender: process.name, mb: process[key] }));
    return [...each, { contender: "total", mb: total }].map(({ contender, mb }) => ({
      case: kase,
      contender,
      condition: "",
      samples: [mb],
    }));
  });
}

/** Of several processes or streams of a kind the row is each one's. */
function hubRows(name: string, startUp: number, rounds: Series[][], memory: Series[]): Row[] {
  const titled = (series: Series[], kase: (series: Series) => string, condition: string) =>
    series.map((one) => ({ ...one, case: `${name}: ${kase(one)}`, condition }));
  const of = (condition: string) =>
    rounds.map((round) => round.filter((one) => one.condition === condition));
  const stream = (one: Series) => `from publish to reader, ${groupOf(one.case)}`;
  const summed = (condition: string, words: string): Series[] => {
    const groups = Map.groupBy(
      of(condition).flat(),
      (one) => `${groupOf(one.case)} ${one.contender}`,
    );
    return [...groups.values()].map((group) => {
      const first = group[0] as Series;
      const samples = [group.flatMap((one) => one.samples).reduce((sum, n) => sum + n, 0)];
      return { ...first, case: `${name}: ${stream(first)}`, condition: words, samples };
    });
  };
  const same = (one: Series) => one.case;
  const rows = (part: string, unit: Unit, series: Series[][]) =>
    rowsOf("hub", unit, series, []).map((row) => ({ ...row, part }));
  const p99 = of("latency").map((round) => titled(round, stream, "p99"));
  return [
    ...rows("processes", "s", [
      [
        {
          case: `${name}: from start to the first frame of every stream`,
          contender: "total",
          condition: "",
          samples: [startUp],
        },
      ],
    ]),
    ...rows(
      "processes",
      "%",
      of("cpu").map((round) => titled(round, same, "")),
    ),
    ...rows("processes", "MB", [titled(memory, same, "")]),
    ...rows(
      "readers",
      "ns",
      of("latency").map((round) => titled(round, stream, "p50")),
    ),
    ...rows("readers", "ns", p99).map((row) => ({
      ...row,
      count: 1,
      p50: row.p99,
      p10: row.p99,
      p90: row.p99,
    })),
    ...rows("readers", "frames", [summed("received", "received")]),
    ...rows("readers", "frames", [summed("missed", "missed")]),
  ];
}
