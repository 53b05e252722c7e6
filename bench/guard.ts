/**
 * Whether a run is worse than those before it, on machines that are never quiet: only ratios to what stood beside them in the same
 * rounds are compared, and how far they may differ is learnt from how far they differed before, when nothing was changed.
 */
import type { Row } from "./bench.ts";
import type { Run } from "./results.ts";
import { median } from "./statistics.ts";

/** With one earlier run nothing is known of the spread between runs. */
const toleranceUnlearnt = 0.25;
/** A difference that nobody needs to hear of. */
const toleranceLeast = 0.1;
/** Standard deviations between runs: by chance some ten of ten thousand rows lie further out. */
const margin = 3;

export interface Verdict {
  bench: string;
  case: string;
  contender: string;
  condition: string;
  against: string;
  /** The ratio now, and the median of those before. */
  ratio: number;
  before: number;
  /** How much larger it may be, as a part of `before`; from how many runs that is known. Worse is what lies beyond it with its whole interval. */
  tolerance: number;
  runs: number;
  /** Those were of another machine: the ratio may well be another there. */
  elsewhere: boolean;
  worse: boolean;
}

const keyOf = ({ bench, case: kase, contender, condition, against }: Row) =>
  JSON.stringify([bench, kase, contender, condition, against?.contender, against?.condition]);

/** Ratios that a change of ours can make worse; the goals say once more what the tables say. */
function guarded(run: Run): Row[] {
  return run.rows.filter((row) => row.against && !row.foreign && row.part !== "goal");
}

/**
 * Holds each ratio of `run` against the same one in earlier runs of that bench: those of this machine, or of any other where there
 * are none. Ratios that were never measured before are left out.
 */
export function compare(run: Run, earlier: Run[]): Verdict[] {
  const { bench, machine } = run.header;
  const same = earlier.filter((other) => other.header.bench === bench);
  const here = same.filter((other) => other.header.machine === machine);
  const found = (here.length > 0 ? here : same).map(
    (other) => new Map(guarded(other).map((row) => [keyOf(row), row])),
  );
  const earlierOf = (row: Row) => found.flatMap((rows) => rows.get(keyOf(row)) ?? []);
  const known = guarded(run).map((row) => ({ row, before: earlierOf(row) }));
  const spreads = known.filter(({ before }) => before.length > 1).map((one) => spread(one.before));
  const usual = spreads.length > 0 ? median(spreads) : 0;
  return known.flatMap(({ row, before }) =>
    before.length === 0 ? [] : [{ ...verdict(row, before, usual), elsewhere: here.length === 0 }],
  );
}

function verdict(row: Row, earlier: Row[], usual: number): Omit<Verdict, "elsewhere"> {
  const { bench, case: kase, contender, condition } = row;
  const { contender: against, ratio, low } = row.against as NonNullable<Row["against"]>;
  const before = median(earlier.map((other) => other.against?.ratio ?? Number.NaN));
  const tolerance = toleranceOf(earlier, usual);
  const worse = low > before * (1 + tolerance);
  const runs = earlier.length;
  return {
    bench,
    case: kase,
    contender,
    condition,
    against,
    ratio,
    before,
    tolerance,
    runs,
    worse,
  };
}

/**
 * From the runs' own intervals, and from how far the runs lie apart.
 * @param usual the spread of this bench's ratios in the middle: two runs that agree by luck do not make a row a quiet one
 */
function toleranceOf(earlier: Row[], usual: number): number {
  const ratios = earlier.flatMap(({ against }) => (against ? [against] : []));
  const within = median(ratios.map(({ ratio, high }) => high / ratio - 1));
  if (ratios.length < 2) return Math.max(toleranceUnlearnt, within);
  return Math.max(toleranceLeast, margin * Math.max(spread(earlier), usual), within);
}

/** The standard deviation of the runs' ratios, as a part of their mean. */
function spread(runs: Row[]): number {
  const ratios = runs.map(({ against }) => against?.ratio ?? Number.NaN);
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const squares = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0);
  return Math.sqrt(squares / (ratios.length - 1)) / mean;
}

const percent = (part: number) => `${Math.round(part * 100)} %`;

/** What to print after a run: nothing where there is nothing to compare with. */
export function guardWords(verdicts: Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const worse = verdicts.filter((verdict) => verdict.worse);
  const usual = percent(median(verdicts.map(({ tolerance }) => tolerance)));
  const compared = `${verdicts.length} ratios compared with the committed runs, tolerance ${usual} in the middle: `;
  return [
    compared + (worse.length === 0 ? "none is worse" : `${worse.length} worse`),
    ...worse.map(worseWords),
  ];
}

function worseWords(verdict: Verdict): string {
  const { bench, case: kase, contender, condition, against, ratio, before, runs } = verdict;
  const where = [bench, kase, contender, condition].filter(Boolean).join(", ");
  const from = `${runs} ${runs === 1 ? "run" : "runs"}${verdict.elsewhere ? " of another machine" : ""}`;
  return (
    `WORSE: ${where}: ${ratio.toFixed(2)} x of ${against}, before ${before.toFixed(2)} x ` +
    `(tolerance ${percent(verdict.tolerance)}, from ${from})`
  );
}
