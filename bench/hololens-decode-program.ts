/**
 * CPU time of the headset's packets, through the receivers and through the bare library, and speaks the protocol of
 * program.h. All decode with one thread; process.cpuUsage() counts every thread.
 *
 * `paced <case>`: one case at its own rate, and how long the bare loop takes on the clock.
 */
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import type { Series } from "./bench.ts";
import { bareLoop } from "./hololens-bare.ts";
import {
  goalCase,
  packetsOf,
  receiverName,
  type StreamCase,
  streamCases,
} from "./hololens-cases.ts";
import { openReceiver } from "./hololens-receiver.ts";

interface Contender {
  case: string;
  name: string;
  begin(): void;
  frame(number: number): void;
  end(): void;
  close(): void;
  /** Frames so far. */
  done: number;
  /** Packets until it begins anew. */
  round: number;
  periodMs: number;
}

/** So long at least a round of one contender lasts: getrusage counts in microseconds, and threads of the engine go on. */
const roundNs = 60_000_000n;

async function contendersOf(measured: StreamCase): Promise<[bare: Contender, ours: Contender]> {
  const given = await packetsOf(measured);
  const receiver = await openReceiver(measured, given);
  const common = {
    case: measured.name,
    done: 0,
    round: given.packets.length,
    periodMs: 1000 * given.periodSeconds,
  };
  const frame = bareLoop(ffmpeg, measured, given.packets);
  return [
    { ...common, name: measured.bare, frame, begin() {}, end() {}, close() {} },
    { ...common, name: receiverName, ...receiver },
  ];
}

/** @returns CPU ns for each frame */
function hot(contender: Contender): number {
  const beginNs = monotonicNs();
  let frames = 0;
  let cpuUs = 0;
  do {
    contender.begin();
    const before = process.cpuUsage();
    for (let i = 0; i < contender.round; i++) contender.frame(contender.done++);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    contender.end();
    frames += contender.round;
  } while (monotonicNs() - beginNs < roundNs);
  return (1000 * cpuUs) / frames;
}

/** @returns CPU ns for each frame, and ns on the clock of every one */
async function atRate(contender: Contender): Promise<{ cpuNs: number; wallNs: number[] }> {
  contender.begin();
  const before = process.cpuUsage();
  const startMs = performance.now();
  const wallNs: number[] = [];
  for (let i = 0; i < contender.round; i++) {
    const beginNs = monotonicNs();
    contender.frame(contender.done++);
    wallNs.push(Number(monotonicNs() - beginNs));
    const dueMs = startMs + (i + 1) * contender.periodMs;
    await Bun.sleep(Math.max(0, dueMs - performance.now()));
  }
  const { user, system } = process.cpuUsage(before);
  contender.end();
  return { cpuNs: (1000 * (user + system)) / contender.round, wallNs };
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Taking turns within a case: what disturbs one disturbs the other. */
async function inTurns(cases: Contender[][]): Promise<Series[]> {
  const series: Series[] = [];
  for (const contenders of cases) {
    for (const contender of shuffled(contenders)) {
      const { case: kase, name } = contender;
      series.push({ case: kase, contender: name, condition: "hot", samples: [hot(contender)] });
      if (kase !== goalCase.name) continue;
      const { cpuNs } = await atRate(contender);
      series.push({ case: kase, contender: name, condition: "30 Hz", samples: [cpuNs] });
    }
  }
  return series;
}

async function paced(bare: Contender): Promise<Series[]> {
  const { wallNs } = await atRate(bare);
  return [{ case: bare.case, contender: bare.name, condition: "paced", samples: wallNs }];
}

const ffmpeg = await loadFfmpeg();
ffmpeg.Log.setLevel(ffmpeg.constants.AV_LOG_ERROR);
const [mode, only] = process.argv.slice(2);
const cases: Awaited<ReturnType<typeof contendersOf>>[] = [];
for (const measured of streamCases) {
  if (only === undefined || measured.name === only) cases.push(await contendersOf(measured));
}
const [first] = cases;
if (!first) throw new Error(`no case "${only}"`);
const round = mode === "paced" ? () => paced(first[0]) : () => inTurns(cases);
for (const contender of cases.flat()) hot(contender); // let the JIT settle
console.log(JSON.stringify({ ready: true }));
for await (const _ of console) console.log(JSON.stringify({ series: await round() }));
for (const contender of cases.flat()) contender.close();
process.exit(0);
