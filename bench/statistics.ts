/** Medians, percentiles, and ratios with the interval that the rounds themselves give. */
import { type Comparison, isCount, type Row, type Series, type Unit } from "./bench.ts";

/** The value below which `share` of the sorted samples lie. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (above - below) * (at - low);
}

export function median(samples: readonly number[]): number {
  return quantile(sorted(samples), 0.5);
}

function sorted(samples: readonly number[]): number[] {
  return [...samples].sort((a, b) => a - b);
}

/** Numbers in [0, 1), the same in every run: an interval must not change when a table is made anew. */
function* repeatable(): Generator<number, never> {
  let state = 0x2545f491;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield (state >>> 0) / 2 ** 32;
  }
}

const draws = 400;

/**
 * median(ours) / median(theirs) with the 5 % and 95 % quantile of that ratio over rounds drawn anew with replacement.
 * Whole rounds are drawn, both sides of the same one: what disturbed a round disturbed both.
 */
export function ratioOf(ours: number[][], theirs: number[][]) {
  const random = repeatable();
  const ratios: number[] = [];
  const rounds = Math.min(ours.length, theirs.length);
  for (let draw = 0; draw < draws; draw++) {
    const drawn = Array.from({ length: rounds }, () => Math.floor(random.next().value * rounds));
    const mine = median(drawn.flatMap((round) => ours[round] as number[]));
    ratios.push(mine / median(drawn.flatMap((round) => theirs[round] as number[])));
  }
  const spread = sorted(ratios);
  const ratio = median(ours.flat()) / median(theirs.flat());
  return { ratio, low: quantile(spread, 0.05), high: quantile(spread, 0.95) };
}

type Key = Pick<Series, "case" | "contender" | "condition">;
const keyOf = (key: Key) => JSON.stringify([key.case, key.contender, key.condition]);

/** One row for each case, contender and condition, in the order of their first appearance. */
export function rowsOf(
  bench: string,
  unit: Unit,
  rounds: Series[][],
  comparisons: Comparison[],
): Row[] {
  const byKey = new Map<string, { key: Key; rounds: number[][] }>();
  for (const round of rounds) {
    for (const { samples, ...key } of round) {
      const found = byKey.get(keyOf(key)) ?? { key, rounds: [] };
      byKey.set(keyOf(key), found);
      if (samples.length > 0) found.rounds.push(samples);
    }
  }
  return [...byKey.values()].map(({ key, rounds }) => {
    const row = describe(bench, unit, key, rounds);
    const comparison = comparisons.find(
      (c) =>
        c.case === key.case &&
        c.contender === key.contender &&
        (c.condition ?? key.condition) === key.condition,
    );
    if (comparison) compare(row, rounds, comparison, (other) => byKey.get(keyOf(other))?.rounds);
    return row;
  });
}

function describe(bench: string, unit: Unit, key: Key, rounds: number[][]): Row {
  const all = sorted(rounds.flat());
  const at = (share: number) =>
    isCount(unit) ? Math.round(quantile(all, share)) : rounded(quantile(all, share));
  return {
    bench,
    ...key,
    unit,
    count: all.length,
    rounds: rounds.length,
    p10: at(0.1),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
  };
}

function compare(
  row: Row,
  rounds: number[][],
  comparison: Comparison,
  find: (key: Key) => number[][] | undefined,
): void {
  const { against, againstCondition, goal } = comparison;
  let value = row.p50;
  if (against !== undefined || againstCondition !== undefined) {
    const contender = against ?? row.contender;
    const condition = againstCondition ?? row.condition;
    const theirs = find({ case: row.case, contender, condition });
    if (!theirs) return;
    const { ratio, low, high } = ratioOf(rounds, theirs);
    row.against = {
      contender,
      condition,
      ratio: rounded(ratio),
      low: rounded(low),
      high: rounded(high),
    };
    value = ratio;
  }
  if (!goal) return;
  row.goal = goal;
  row.reached = value <= goal.most && value >= (goal.least ?? Number.NEGATIVE_INFINITY);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
