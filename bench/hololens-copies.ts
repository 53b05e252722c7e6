import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findCompiler } from "../src/ring/build.ts";
import type { Bench, BenchContext, Comparison, Series } from "./bench.ts";
import { type StreamCase, sensorName, streamCases } from "./hololens-cases.ts";
import { type Headset, startHeadset, startHeadsetHub, watchRing } from "./hololens-hub.ts";
import { rowsOf } from "./statistics.ts";

const windowMs = 4000;
const windows = 5;
const process = "its process";
const received = "from the socket";
const copied = "memcpy";
const published = "published";

/** What a stream's process copies of a packet, from the socket to the ring. */
export const bench: Bench = {
  name: "hololens-copies",
  title: "Bytes of a headset's packets that are copied",
  usual: false,
  async run(context) {
    const preload = compile(context);
    const headset = await startHeadset(context);
    const rounds: Series[][] = [];
    try {
      for (const cases of sessions())
        rounds.push(...(await counted(context, headset, cases, preload)));
    } finally {
      await headset.end();
    }
    const comparisons: Comparison[] = streamCases.map(({ name }) => ({
      case: name,
      contender: process,
      condition: copied,
      againstCondition: received,
    }));
    return { rows: rowsOf("hololens-copies", "B", rounds, comparisons), absent: [] };
  },
};

/** As few as there can be with each stream once in each. */
function sessions(): StreamCase[][] {
  const all: StreamCase[][] = [];
  for (const one of streamCases) {
    const free = all.find((session) => session.every(({ stream }) => stream !== one.stream));
    if (free) free.push(one);
    else all.push([one]);
  }
  return all;
}

function compile({ folder }: BenchContext): string {
  const compiler = findCompiler();
  if (!compiler) throw new Error("no C compiler");
  const library = join(folder, "copies.so");
  // Else the compiler makes a call of memcpy of what is to be memcpy.
  const flags = ["-std=gnu11", "-O2", "-fno-builtin", "-shared", "-fPIC"];
  const built = Bun.spawnSync([
    compiler,
    ...flags,
    join(import.meta.dir, "copies.c"),
    "-o",
    library,
    "-ldl",
  ]);
  if (!built.success) throw new Error(`${compiler}: ${built.stderr.toString().slice(0, 400)}`);
  return library;
}

async function counted(
  context: BenchContext,
  headset: Headset,
  cases: StreamCase[],
  preload: string,
): Promise<Series[][]> {
  const place = join(context.folder, "copies");
  const streams = cases.map(({ stream }) => stream);
  const keys = Object.assign({ streams }, ...cases.map((one) => one.keys));
  const environment = { LD_PRELOAD: preload, STREAMEM_COPIES: place };
  const hub = await startHeadsetHub(context, headset, keys, environment);
  const rounds: Series[][] = [];
  try {
    const rings = cases.map(({ stream }) => ringsOf(stream));
    const watches = await Promise.all(
      rings.map((names) => Promise.all(names.map((name) => watchRing(context.prefix, name)))),
    );
    await headset.settled();
    const parts = await hub.parts();
    const counts = () => streams.map((stream) => countsIn(`${place}.${parts.get(stream)?.pid}`));
    for (const watch of watches.flat()) watch.take();
    for (let i = 0; i < Math.max(2, windows * context.share); i++) {
      context.say(`${streams.length} streams, window ${i + 1}`);
      const before = counts();
      await Bun.sleep(windowMs);
      const after = counts();
      const seen = watches.map((own) => own.map((watch) => watch.take()));
      rounds.push(
        cases.flatMap(({ name }, at) => {
          const frames = seen[at]?.[0]?.length ?? 0;
          const bytes = (seen[at] ?? []).flat().reduce((sum, frame) => sum + frame.bytes, 0);
          const perFrame = (what: 0 | 1) =>
            Number((after[at]?.[what] ?? 0n) - (before[at]?.[what] ?? 0n)) / frames;
          return [
            one(name, received, perFrame(1)),
            one(name, copied, perFrame(0)),
            one(name, published, bytes / frames),
          ];
        }),
      );
    }
    for (const watch of watches.flat()) watch.close();
  } finally {
    await hub.end();
  }
  return rounds;
}

function ringsOf(stream: string): string[] {
  const ring = `${sensorName}.${stream}`;
  return stream.startsWith("depth-") ? [ring, `${ring}.ab`] : [ring];
}

function countsIn(file: string): [copied: bigint, received: bigint] {
  const [copied = 0n, received = 0n] = new BigUint64Array(
    new Uint8Array(readFileSync(file)).buffer,
  );
  return [copied, received];
}

function one(kase: string, condition: string, bytes: number): Series {
  return { case: kase, contender: process, condition, samples: [bytes] };
}
