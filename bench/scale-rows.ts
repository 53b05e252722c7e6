/** A sweep as rows: what each point costs, and the slope that fits them. */
import type { Comparison, Row, Series, Unit } from "./bench.ts";
import type { Load } from "./peers/peer.ts";
import { floor, missedShare } from "./peers-rows.ts";
import { median, rowsOf } from "./statistics.ts";

export const ours = "streamem, C, blocking";

export interface Sweep {
  name: string;
  /** One of what grows. */
  unit: string;
  points: { x: number; condition: string; load: Load }[];
}

/** The programs' words and the table's. CPU time is that of one frame, in ns. */
const measures: Record<string, string> = {
  put: "the writer's call",
  summed: "until all bytes are summed",
  "writer's CPU": "CPU of the writer, for a frame",
  "reader's CPU": "CPU of each reader, for a frame",
};

/** What a program's series of its memory in MB is called: one sample of one round. */
export const memoryCase = "memory";
const memoryName = "memory of all processes (PSS)";

export function scaleRows(sweep: Sweep, rounds: Series[][]): Row[] {
  const named = rounds.map((round) => merged(sweep, round));
  const values = rowsOf("scale", "ns", named, againstFloor(named)).map((row) => placed(sweep, row));
  return [
    ...values,
    ...taken(sweep, named),
    ...missed(sweep, rounds),
    ...slopes(sweep, named, "ns"),
    ...memory(sweep, rounds.flat()),
  ];
}

/** The rings with all that the processes of ours have besides. */
function memory(sweep: Sweep, all: Series[]): Row[] {
  const found = all
    .filter((one) => one.case === memoryCase && one.contender === ours)
    .map((one) => ({ ...one, case: `${sweep.name}: ${memoryName}` }));
  const points = rowsOf("scale", "MB", [found], []).map((row) => placed(sweep, row));
  return [...points, ...slopes(sweep, [found], "MB")];
}

/** What all processes of ours take together: where it nears the number of cores is the knee. */
function taken(sweep: Sweep, rounds: Series[][]): Row[] {
  const series = rounds.map((round) =>
    sweep.points.map(({ x, condition, load }): Series => {
      const cpu = (measure: string) =>
        median(
          round
            .filter((one) => one.contender !== floor && one.condition === condition)
            .filter((one) => one.case === `${sweep.name}: ${measures[measure]}`)
            .flatMap(({ samples }) => samples),
        );
      const streams = sweep.unit === "stream" ? x : 1;
      const ns = streams * load.rate * (cpu("writer's CPU") + load.readers * cpu("reader's CPU"));
      const kase = `${sweep.name}: CPU of all, share of one core`;
      return { case: kase, contender: ours, condition, samples: [ns / 1e7] };
    }),
  );
  return rowsOf("scale", "%", series, []).map((row) => placed(sweep, row));
}

const placed = (sweep: Sweep, row: Row): Row => ({
  ...row,
  column: sweep.points.findIndex((point) => point.condition === row.condition),
  part: sweep.name,
});

/** The series of a round by case, contender and point: several programs write at once where streams are counted. */
function merged(sweep: Sweep, round: Series[]): Series[] {
  const wanted = round.filter((series) => measures[series.case] !== undefined);
  const groups = Map.groupBy(wanted, ({ case: kase, contender, condition }) =>
    JSON.stringify([kase, contender, condition]),
  );
  return [...groups.values()].map((group) => {
    const { case: kase, contender, condition } = group[0] as Series;
    const samples = group.flatMap((series) => series.samples);
    return { case: `${sweep.name}: ${measures[kase]}`, contender, condition, samples };
  });
}

function againstFloor(rounds: Series[][]): Comparison[] {
  const keys = new Map(
    rounds
      .flat()
      .map(({ case: kase, contender }) => [`${kase} ${contender}`, { case: kase, contender }]),
  );
  return [...keys.values()]
    .filter(({ contender }) => contender !== floor)
    .map((key) => ({ ...key, against: floor }));
}

function missed(sweep: Sweep, rounds: Series[][]): Row[] {
  const groups = Map.groupBy(
    rounds.flat().filter(({ contender }) => contender !== floor),
    ({ contender, condition }) => JSON.stringify([contender, condition]),
  );
  const series = [...groups.values()].map((group) => {
    const { contender, condition } = group[0] as Series;
    const samples = [missedShare(group.map((one) => ({ ...one, condition: one.case })))];
    return { case: `${sweep.name}: missed`, contender, condition, samples };
  });
  return rowsOf("scale", "%", [series], []).map((row) => placed(sweep, row));
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen), one sample a round: a few points far off,
 * beyond the knee, do not turn it.
 */
export function slope(points: { x: number; y: number }[]): number {
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b) => (a.x === b.x ? [] : [(b.y - a.y) / (b.x - a.x)])),
  );
  return median(slopes);
}

function slopes(sweep: Sweep, rounds: Series[][], unit: Unit): Row[] {
  const fitted = rounds.map((round) => {
    const lines = Map.groupBy(round, ({ case: kase, contender }) =>
      JSON.stringify([kase, contender]),
    );
    return [...lines.values()].map((line): Series => {
      const { case: kase, contender } = line[0] as Series;
      const points = sweep.points.flatMap(({ x, condition }) => {
        const samples = line.find((series) => series.condition === condition)?.samples ?? [];
        return samples.length > 0 ? [{ x, y: median(samples) }] : [];
      });
      return {
        case: `slope ${kase}`,
        contender,
        condition: `for each ${sweep.unit}`,
        samples: [slope(points)],
      };
    });
  });
  return rowsOf("scale", unit, fitted, []).map((row) => ({
    ...row,
    part: `slope, for each ${sweep.unit}`,
  }));
}
