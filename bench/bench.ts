/**
 * The one interface of the benchmark: a bench runs contenders side by side and gives rows. A contender is a case in a
 * program that speaks the protocol of program.h, in any language: a peer is one such file and one entry in a bench.
 */

/** What one round of one program measured. */
export interface Series {
  case: string;
  contender: string;
  /** What was varied beside the contender: pace, number of readers. A column of the table. */
  condition: string;
  samples: number[];
}

export type Unit = "ns" | "s" | "B" | "MB" | "MB/s" | "1/s" | "%" | "frames" | "files";

/** Whether it counts things, which have no parts. */
export const isCount = (unit: Unit) => unit === "B" || unit === "frames" || unit === "files";

/** One line of the result file. */
export interface Row {
  bench: string;
  case: string;
  contender: string;
  condition: string;
  unit: Unit;
  count: number;
  rounds: number;
  p10: number;
  p50: number;
  p90: number;
  p99: number;
  /** p50 here through p50 there, and the middle 90 % of that ratio when whole rounds are drawn anew. */
  against?: { contender: string; condition: string; ratio: number; low: number; high: number };
  goal?: Goal;
  reached?: boolean;
  /** Of another system: no change of ours makes it worse. */
  foreign?: true;
  /** Name of the table that it stands in, where a bench has several. */
  part?: string;
  /** Place of its condition among the table's columns, where the alphabet's would be a bad one. */
  column?: number;
}

/** A contender that could not be measured, and why. */
export interface Absence {
  bench: string;
  case: string;
  contender: string;
  why: string;
}

/** Bounds of the ratio, or of the value itself where there is nothing to hold it against. */
export interface Goal {
  most: number;
  least?: number;
}

/** Which row is held against which. */
export interface Comparison {
  case: string;
  contender: string;
  /** This condition only; else each one. */
  condition?: string;
  /** Contender to hold it against; the same one where only the condition differs. */
  against?: string;
  /** Its condition where it is another. */
  againstCondition?: string;
  goal?: Goal;
}

export interface BenchContext {
  /** Prefix of every ring made here. */
  prefix: string;
  /** A folder of this run's own, removed afterwards. */
  folder: string;
  /** Environment of the programs: prefix, doorbell folder. */
  environment: Record<string, string>;
  /** Part of the usual number of rounds, 1 in a whole run. */
  share: number;
  say(words: string): void;
}

export interface BenchResult {
  rows: Row[];
  absent: Absence[];
  /** Found out on the way: of the interpreter, a package. */
  versions?: Record<string, string>;
}

export interface Bench {
  name: string;
  /** Heading of its table. */
  title: string;
  /** Whether `bun run bench` without a name runs it. */
  usual: boolean;
  run(context: BenchContext): Promise<BenchResult>;
}
