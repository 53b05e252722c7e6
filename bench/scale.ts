import type { Bench, BenchContext, Row, Series } from "./bench.ts";
import { memoryMb } from "./hub-process.ts";
import { type Contender, type Load, type Peer, peers, startPeer } from "./peers/peer.ts";
import { floor, readersWords } from "./peers-rows.ts";
import { type Program, takeTurns } from "./program.ts";
import { memoryCase, ours, type Sweep, scaleRows } from "./scale-rows.ts";

const bytes = { small: 64, hd: 2_764_800, fullHd: 6_220_800, uhd: 24_883_200 };
const powers = [1, 2, 4, 8, 16, 32, 64];
const rates = [1, 10, 30, 100, 200, 350, 500];
const camera = { rate: 30, paced: 8, burstMs: 0 };
const rounds = 5;

const words = (n: number) => `${n.toLocaleString("en")} B`;
/** A third of a second of it, at least two frames. */
const atRate = (rate: number) => ({ rate, paced: Math.max(2, Math.round(rate / 3)), burstMs: 0 });

/** What grows, in what a camera at 30 Hz needs for one reader: one of the numbers at a time. */
const sweeps: Sweep[] = [
  ...[bytes.small, bytes.fullHd].map((size) => ({
    name: `by readers, ${words(size)}`,
    unit: "reader",
    points: powers.map((readers) => ({
      x: readers,
      condition: readersWords(readers),
      load: { bytes: size, readers, ...camera },
    })),
  })),
  ...[1, 10].map((readers) => ({
    name: `by size, ${readersWords(readers)}`,
    unit: "MB",
    points: [bytes.small, 1024, 65_536, bytes.hd, bytes.fullHd, bytes.uhd].map((size) => ({
      x: size / 1e6,
      condition: words(size),
      load: { bytes: size, readers, ...camera },
    })),
  })),
  ...[
    { size: bytes.small, readers: 1 },
    { size: bytes.fullHd, readers: 10 },
  ].map(({ size, readers }) => ({
    name: `by rate, ${words(size)}, ${readersWords(readers)}`,
    unit: "frame/s",
    points: rates.map((rate) => ({
      x: rate,
      condition: `${rate}/s`,
      load: { bytes: size, readers, ...atRate(rate) },
    })),
  })),
];

const streamSweeps = [bytes.small, bytes.hd].map((size) => ({
  name: `by streams, ${words(size)}`,
  unit: "stream",
  load: { bytes: size, readers: 1, ...camera },
}));

/** How ours and the floor grow with readers, size, rate and streams. */
export const bench: Bench = {
  name: "scale",
  title: "How cost grows",
  usual: true,
  async run(context) {
    const rows: Row[] = [];
    for (const sweep of sweeps) rows.push(...scaleRows(sweep, await measured(sweep, context)));
    for (const { name, unit, load } of streamSweeps) {
      const points = powers.map((n) => ({
        x: n,
        condition: n === 1 ? "1 stream" : `${n} streams`,
        load,
      }));
      const sweep = { name, unit, points };
      rows.push(...scaleRows(sweep, await manyStreams(sweep, context)));
    }
    return { rows, absent: [] };
  },
};

function found(name: string): { peer: Peer; contender: Contender } {
  for (const peer of peers()) {
    const contender = peer.contenders.find((one) => one.name === name);
    if (contender) return { peer, contender };
  }
  throw new Error(`no contender ${name} in bench/peers`);
}

function start(name: string, load: Load, context: BenchContext): Promise<Program> {
  const { peer, contender } = found(name);
  return startPeer(peer, contender, load, context);
}

/** Every point of a sweep in every round, ours and the floor, in random order. */
async function measured(sweep: Sweep, context: BenchContext): Promise<Series[][]> {
  const programs = new Map<Program, { contender: string; condition: string }>();
  for (const { condition, load } of sweep.points) {
    for (const contender of [floor, ours]) {
      context.say(`${sweep.name}: starting ${condition}`);
      programs.set(await start(contender, load, context), { contender, condition });
    }
  }
  try {
    const all = await takeTurns([...programs.keys()], rounds, context, (program, series) => {
      const { contender, condition } = programs.get(program) as {
        contender: string;
        condition: string;
      };
      return series.map((one) => ({ ...one, case: one.condition, contender, condition }));
    });
    const taken = [...programs].map(([program, named]) => memoryOf([program], named));
    return [...all.slice(0, -1), [...(all.at(-1) ?? []), ...taken]];
  } finally {
    for (const program of programs.keys()) await program.end();
  }
}

/** Each stream has a writer's process and a reader's, as a hub's sensors have; 1 to 64 of them write at the same time. */
async function manyStreams(sweep: Sweep, context: BenchContext): Promise<Series[][]> {
  const programs: Program[] = [];
  const most = sweep.points.at(-1) as Sweep["points"][number];
  while (programs.length < most.x) {
    context.say(`${sweep.name}: starting ${programs.length + 1}`);
    programs.push(await start(ours, most.load, context));
  }
  const all: Series[][] = [];
  const count = Math.max(2, Math.round(rounds * context.share));
  for (let round = 0; round < count; round++) {
    const order = [...sweep.points].sort(() => Math.random() - 0.5);
    const series: Series[] = [];
    for (const { x, condition } of order) {
      const found = await Promise.all(programs.slice(0, x).map((program) => program.round()));
      series.push(
        ...found.flat().map((one) => ({ ...one, case: one.condition, contender: ours, condition })),
      );
    }
    all.push(series);
    context.say(`${sweep.name}: round ${round + 1} of ${count}`);
  }
  all
    .at(-1)
    ?.push(
      ...sweep.points.map(({ x, condition }) =>
        memoryOf(programs.slice(0, x), { contender: ours, condition }),
      ),
    );
  for (const program of programs) await program.end();
  return all;
}

function memoryOf(programs: Program[], named: Pick<Series, "contender" | "condition">): Series {
  const mb = programs.flatMap(({ allPids }) => allPids).map((pid) => memoryMb(pid).pss);
  return { case: memoryCase, ...named, samples: [mb.reduce((sum, one) => sum + one, 0)] };
}
