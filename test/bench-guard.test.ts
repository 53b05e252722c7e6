import { expect, test } from "bun:test";
import type { Row } from "../bench/bench.ts";
import { compare, guardWords } from "../bench/guard.ts";
import { committedRuns, type Run } from "../bench/results.ts";

const here = "2 x A";

/** A run of one row, `ratio` x of its floor, give or take `spread`. */
function run(ratio: number, { machine = here, spread = 0, more = {} as Partial<Row> } = {}): Run {
  const key = { bench: "x", case: "1080p", contender: "publish", condition: "30 Hz", unit: "ns" };
  const numbers = { count: 9, rounds: 3, p10: 1, p50: 1, p90: 1, p99: 1 };
  const range = { low: ratio * (1 - spread), high: ratio * (1 + spread) };
  const against = { contender: "memcpy", condition: "30 Hz", ratio, ...range };
  const header = { bench: "x", machine } as Run["header"];
  return { header, rows: [{ ...key, ...numbers, against, ...more } as Row], absent: [] };
}

const worse = (now: Run, earlier: Run[]) => compare(now, earlier).map((verdict) => verdict.worse);

test("a ratio within three deviations of earlier runs is not worse, one beyond them is", () => {
  const earlier = [run(1.0), run(1.1), run(1.05)]; // a deviation of 4.8 %
  expect(worse(run(1.19), earlier)).toEqual([false]);
  expect(worse(run(1.21), earlier)).toEqual([true]);
});

test("runs that lie far apart allow more: to see this fail, drop `spread(earlier)` in toleranceOf", () => {
  const earlier = [run(1.0), run(1.4), run(1.0)]; // 20 %: 61 % are allowed
  expect(worse(run(1.55), earlier)).toEqual([false]);
  expect(worse(run(1.65), earlier)).toEqual([true]);
});

test("two runs that agree by luck allow what its neighbours do: to see this fail, drop `usual`", () => {
  const both = (ratio: number, neighbour: number): Run => {
    const [one, other] = [run(ratio), run(neighbour, { more: { case: "720p" } })];
    return { ...one, rows: [...one.rows, ...other.rows] };
  };
  const earlier = [both(1, 1), both(1, 1.2)]; // 0 and 13 %: their middle is 6.4 %
  expect(worse(both(1.18, 1), earlier)).toEqual([false, false]);
  expect(worse(both(1.2, 1), earlier)).toEqual([true, false]);
});

test("from one run alone the tolerance is a quarter, and more where its own rounds differ by more", () => {
  expect(worse(run(1.2), [run(1)])).toEqual([false]);
  expect(worse(run(1.3), [run(1)])).toEqual([true]);
  expect(worse(run(1.3), [run(1, { spread: 0.3 })])).toEqual([false]);
});

test("a ratio that its own rounds do not agree on is not called worse", () => {
  expect(worse(run(1.5, { spread: 0.3 }), [run(1)])).toEqual([false]);
});

test("runs of this machine count before those of another", () => {
  const elsewhere = run(3, { machine: "64 x B" });
  expect(worse(run(2), [elsewhere, run(1)])).toEqual([true]);
  expect(worse(run(2), [elsewhere])).toEqual([false]);
});

test("other systems, goals, and what was never measured before are left out", () => {
  const against = { contender: "another floor", condition: "30 Hz", ratio: 9, low: 9, high: 9 };
  expect(compare(run(9, { more: { foreign: true } }), [run(1)])).toEqual([]);
  expect(compare(run(9, { more: { part: "goal" } }), [run(1)])).toEqual([]);
  expect(compare(run(9, { more: { against } }), [run(1)])).toEqual([]);
});

test("the words name the row, both ratios and the tolerance", () => {
  const words = guardWords(compare(run(2), [run(1), run(1)]));
  expect(words[0]).toBe(
    "1 ratios compared with the committed runs, tolerance 10 % in the middle: 1 worse",
  );
  expect(words[1]).toBe(
    "WORSE: x, 1080p, publish, 30 Hz: 2.00 x of memcpy, before 1.00 x (tolerance 10 %, from 2 runs)",
  );
  expect(guardWords([])).toEqual([]);
});

test("the committed runs are found in git", () => {
  const names = new Set(committedRuns().map(({ header }) => header.bench));
  expect(names).toContain("publish");
});
