/** What the turns of the peers say, as rows: what was measured, and what it has to reach. */
import type { Comparison, Row, Series, Unit } from "./bench.ts";
import { quantile, rowsOf } from "./statistics.ts";

export const readersWords = (readers: number) =>
  readers === 1 ? "1 reader" : `${readers} readers`;
export const floor = "floor: memcpy, FUTEX_WAKE, sum";
const cpuOfWriter = "CPU of the writer, for 1000 frames";
const cpuOfReader = "CPU of each reader, for 1000 frames";
const summed = "until all bytes are summed";
const inHand = "until the bytes are in hand";

/** From the programs' words to the table's: unit, factor, column. */
const measures: Record<string, { condition: string; unit: Unit; per?: number }> = {
  put: { condition: "the writer's call", unit: "ns" },
  "in hand": { condition: inHand, unit: "ns" },
  summed: { condition: summed, unit: "ns" },
  "writer's CPU": { condition: cpuOfWriter, unit: "s", per: 1e6 }, // ns a frame
  "reader's CPU": { condition: cpuOfReader, unit: "s", per: 1e6 },
  delivered: { condition: "delivered at full rate", unit: "MB/s", per: 1e6 },
  "memory, PSS": { condition: "memory of a reader (PSS)", unit: "MB" },
  "memory, RSS": { condition: "memory of a reader (RSS)", unit: "MB" },
  "waiting CPU": { condition: "CPU of a reader that waits", unit: "%" },
};
const held = ["put", "in hand", "summed", "writer's CPU", "reader's CPU"];
const columns = [
  ...Object.values(measures).map(({ condition }) => condition),
  "missed at 30 Hz",
  "torn",
];

export function peerRows(rounds: Series[][]): Row[] {
  const rows = Object.entries(measures).flatMap(([what, { condition, unit, per }]) => {
    const found = select(rounds, what, per ?? 1, condition);
    return rowsOf("peers", unit, found, held.includes(what) ? againstFloor(found, condition) : []);
  });
  const all = [...rows, ...counts(rounds)];
  for (const row of all) {
    row.column = columns.indexOf(row.condition);
    if (!row.contender.startsWith("streamem")) row.foreign = true;
  }
  const left = rounds.map((round) => round.filter(({ condition }) => condition === "left"));
  const kills = rowsOf("peers", "files", left, []).map((row) => ({ ...row, part: "killed" }));
  return [...all, ...kills, ...ancestorsTable(rounds), ...oneWay(rounds), ...goals(rounds)];
}

function select(rounds: Series[][], what: string, per: number, condition: string): Series[][] {
  return rounds.map((round) =>
    round
      .filter((series) => series.condition === what)
      .map((series) => ({ ...series, condition, samples: series.samples.map((n) => n / per) })),
  );
}

function againstFloor(rounds: Series[][], condition: string): Comparison[] {
  return [...new Map(rounds.flat().map((one) => [`${one.case} ${one.contender}`, one])).values()]
    .filter(({ contender }) => contender !== floor)
    .map(({ case: kase, contender }) => ({ case: kase, contender, condition, against: floor }));
}

const total = (numbers: number[]) => numbers.reduce((sum, n) => sum + n, 0);

/** Percent of the frames sent that no reader got, of all that the programs said. */
export function missedShare(series: Series[]): number {
  const sum = (what: string) =>
    total(series.filter(({ condition }) => condition === what).flatMap(({ samples }) => samples));
  return (1 - sum("received") / sum("sent")) * 100;
}

/** Missed and torn frames: counted over the whole run, not a median. */
function counts(rounds: Series[][]): Row[] {
  const said = rounds
    .flat()
    .filter(({ condition }) => ["sent", "received", "torn"].includes(condition));
  const cells = Map.groupBy(said, ({ case: kase, contender }) => JSON.stringify([kase, contender]));
  const counted = (condition: string, count: (series: Series[]) => number): Series[] =>
    [...cells.values()].map((series) => {
      const { case: kase, contender } = series[0] as Series;
      return { case: kase, contender, condition, samples: [count(series)] };
    });
  const torn = counted("torn", (series) =>
    total(series.filter(({ condition }) => condition === "torn").flatMap(({ samples }) => samples)),
  );
  return [
    ...rowsOf("peers", "%", [counted("missed at 30 Hz", missedShare)], []),
    ...rowsOf("peers", "frames", [torn], []),
  ];
}

const likeTheAncestor = ["multiprocessing.Queue", "the ancestor", "streamem, Python, blocking"];

/** Queue against shared memory in the shape of the ancestor's own table: by its method, then by ours. */
function ancestorsTable(rounds: Series[][]): Row[] {
  const wanted = rounds
    .flat()
    .filter(
      ({ case: kase, contender }) =>
        !kase.startsWith("64 B") && likeTheAncestor.includes(contender),
    );
  const cells = Map.groupBy(wanted, ({ case: kase, contender }) =>
    JSON.stringify([kase, contender]),
  );
  const rows = [...cells.values()].flatMap((cell) => {
    const { case: kase, contender } = cell[0] as Series;
    const samples = (what: string) =>
      cell.filter(({ condition }) => condition === what).flatMap((series) => series.samples);
    const mean = (what: string) => total(samples(what)) / samples(what).length;
    const at = (what: string, share: number) =>
      quantile(
        samples(what).sort((a, b) => a - b),
        share,
      );
    const columns: [condition: string, unit: Unit, value: number][] = [
      ["write, back to back, average", "ns", mean("burst put")],
      ["writes", "1/s", 1e9 / mean("burst put")],
      ["read, back to back, average", "ns", mean("burst get")],
      ["reads", "1/s", 1e9 / mean("burst get")],
      ["write at 30 Hz, p50", "ns", at("put", 0.5)],
      ["p99 of it", "ns", at("put", 0.99)],
      ["until all bytes are summed, p50", "ns", at("summed", 0.5)],
      ["its p99", "ns", at("summed", 0.99)],
      ["frames summed", "frames", total(samples("received"))],
      ["torn", "frames", total(samples("torn"))],
    ];
    return columns
      .filter(([, , value]) => Number.isFinite(value))
      .flatMap(([condition, unit, value], column) => {
        const series = {
          case: `like the ancestor's: ${kase}`,
          contender,
          condition,
          samples: [value],
        };
        return rowsOf("peers", unit, [[series]], []).map((row) => ({ ...row, column }));
      });
  });
  return rows.map((row) => ({ ...row, part: "like the ancestor's" }));
}

const waits: [contender: string, words: string][] = [
  ["streamem, C, busy-poll", "busy-poll, C"],
  ["streamem, C, blocking", "blocking, C"],
  ["streamem, C writes, Python reads", "blocking, Python"],
  ["streamem, C, epoll", "event loop: epoll, C"],
  ["streamem, C writes, asyncio reads", "event loop: asyncio"],
  ["streamem, C writes, Bun reads", "event loop: Bun"],
];

/** The same rounds once more: one line a size, one column a way to wait. */
function oneWay(rounds: Series[][]): Row[] {
  const columnOf = new Map(waits.map(([contender, words], i) => [contender, { words, i }]));
  const found = select(rounds, "in hand", 1, "").map((round) =>
    round
      .filter((series) => series.case.endsWith(", 1 reader") && columnOf.has(series.contender))
      .map((series) => ({
        case: `one way, ${series.case}`,
        contender: "from before the put until the bytes are in hand",
        condition: columnOf.get(series.contender)?.words as string,
        samples: series.samples,
      })),
  );
  const order = waits.map(([, words]) => words);
  return rowsOf("peers", "ns", found, []).map((row) => ({
    ...row,
    part: "one way",
    column: order.indexOf(row.condition),
  }));
}

const large = "1080p, 6,220,800 B";
const ours = "streamem, C, blocking";
const oursPython = "streamem, Python, blocking";
const hubPython = "streamem, C writes, Python reads";
const rust = "iceoryx2, Rust, event";
const queue = "multiprocessing.Queue";
const bothCpu = "both CPUs";
const icePython = "iceoryx2, Python, event";
/** Keeps as many frames as our ring. */
const keeping = (peer: string) => `${peer}, history of 7`;

interface PeerGoal {
  what: string;
  size: string;
  readers: string;
  contender: string;
  against: string;
  most: number;
}

const goal = (
  what: string,
  size: string,
  readers: string,
  contender: string,
  against: string,
  most: number,
): PeerGoal => ({ what, size, readers, contender, against, most });

const bothCpuAgainst = [
  rust,
  keeping(rust),
  icePython,
  keeping(icePython),
  "ZeroMQ over ipc",
  "shared_memory and a Lock, by hand",
];

/** What it must reach, each against one other row of the same rounds. */
const peerGoals = [
  goal("summed", large, "1 reader", ours, floor, 1.25),
  goal("summed", large, "1 reader", hubPython, floor, 1.5),
  ...["1 reader", "10 readers"].flatMap((readers) => [
    goal("summed", large, readers, ours, rust, 1),
    goal("summed", large, readers, ours, keeping(rust), 1),
    goal("summed", large, readers, oursPython, icePython, 1),
    goal("summed", large, readers, oursPython, keeping(icePython), 1),
  ]),
  goal("put", large, "1 reader", ours, floor, 1.1),
  goal("put", large, "10 readers", ours, floor, 1.2),
  goal("put", "64 B", "10 readers", ours, rust, 0.5),
  goal("summed", "64 B", "1 reader", "streamem, C, busy-poll", "iceoryx2, Rust, busy-poll", 1.1),
  goal("writer's CPU", large, "10 readers", ours, queue, 0.01),
  goal("writer's CPU", large, "10 readers", oursPython, queue, 0.01),
  goal("reader's CPU", large, "10 readers", ours, queue, 0.05),
  goal("reader's CPU", large, "10 readers", oursPython, queue, 0.05),
  ...bothCpuAgainst.map((peer) => goal(bothCpu, large, "1 reader", ours, peer, 1)),
];

/** Writer's and reader's CPU time of a turn together, as samples of their own. */
function withBothCpu(rounds: Series[][]): Series[][] {
  return rounds.map((round) => {
    const both = round.flatMap((series): Series[] => {
      if (series.condition !== "writer's CPU") return [];
      const readers = round.find(
        (other) =>
          other.condition === "reader's CPU" &&
          other.case === series.case &&
          other.contender === series.contender,
      );
      const samples = [total(series.samples) + total(readers?.samples ?? [])];
      return [{ ...series, condition: bothCpu, samples }];
    });
    return [...round, ...both];
  });
}

function goals(measured: Series[][]): Row[] {
  const rounds = withBothCpu(measured);
  return peerGoals.flatMap(({ what, size, readers, contender, against, most }) => {
    const kase = `goal: ${size.split(",")[0]}, ${readers}: ${measures[what]?.condition ?? "CPU of writer and reader"}`;
    const found = rounds.map((round) =>
      round
        .filter((one) => one.condition === what && one.case === `${size}, ${readers}`)
        .filter((one) => one.contender === contender || one.contender === against)
        .map((one) => ({
          ...one,
          case: kase,
          contender: one.contender === contender ? `${contender}; against ${against}` : against,
          condition: "",
          samples: one.samples.map((n) => (what.endsWith("CPU") || what === bothCpu ? n / 1e6 : n)),
        })),
    );
    const unit = what.endsWith("CPU") || what === bothCpu ? "s" : "ns";
    const name = `${contender}; against ${against}`;
    const comparison = { case: kase, contender: name, against, goal: { most } };
    return rowsOf("peers", unit, found, [comparison])
      .filter((row) => row.contender === name)
      .map((row) => ({ ...row, part: "goal" }));
  });
}
