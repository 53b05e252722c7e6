import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row, Series } from "../bench/bench.ts";
import { lastRuns, type Run, readRuns, resultsFolder } from "../bench/results.ts";
import { quantile, ratioOf, rowsOf } from "../bench/statistics.ts";
import { benchTable, sourceOf, withTables } from "../bench/table.ts";

test("a quantile lies between its neighbours", () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantile([0, 10], 0.1)).toBe(1);
});

test("a ratio is that of the medians, and its interval holds it", () => {
  const theirs = [
    [10, 11, 12],
    [20, 21, 22],
    [10, 12, 14],
  ];
  const twice = theirs.map((round) => round.map((ns) => ns * 2));
  expect(ratioOf(twice, theirs)).toEqual({ ratio: 2, low: 2, high: 2 });
});

test("a row is held against the row it names, and says whether the goal is reached", () => {
  const round: Series[] = [
    { case: "copy", contender: "floor", condition: "hot", samples: [100, 100, 100] },
    { case: "copy", contender: "ours", condition: "hot", samples: [120, 120, 120] },
  ];
  const [, ours] = rowsOf(
    "x",
    "ns",
    [round],
    [{ case: "copy", contender: "ours", against: "floor", goal: { most: 1.1 } }],
  ) as [Row, Row];
  expect(ours.against).toEqual({
    contender: "floor",
    condition: "hot",
    ratio: 1.2,
    low: 1.2,
    high: 1.2,
  });
  expect(ours.reached).toBe(false);
});

test("a table names what was missed and what could not be measured", () => {
  const header = {
    bench: "x",
    commit: "c0ffee",
    changed: [],
    versions: {},
  } as unknown as Run["header"];
  const row = { bench: "x", case: "a", contender: "b", condition: "hot", unit: "ns", count: 2 };
  const numbers = { rounds: 1, p10: 900, p50: 1500, p90: 2100, p99: 2100 };
  const judged = { ...row, ...numbers, goal: { most: 1000 }, reached: false } as Row;
  const absent = [{ bench: "x", case: "a", contender: "peer", why: "not installed" }];
  const table = benchTable("x", { header, rows: [judged], absent });
  expect(table).toContain("| a | b | 1.50 us (0.90 – 2.10) | at most 1.00 us: missed (hot) |");
  expect(table).toContain("Not measured: peer (a): not installed");
});

test("the README's tables are those of the result file it names: else run `bun run bench --table`", () => {
  const readme = readFileSync(join(import.meta.dir, "..", "bench", "README.md"), "utf8");
  const file = sourceOf(readme) as string;
  expect(withTables(readme, file, lastRuns(readRuns(join(resultsFolder, file))))).toBe(readme);
});
