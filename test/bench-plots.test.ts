import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Series } from "../bench/bench.ts";
import { plotsFolder, scalePlots } from "../bench/plots.ts";
import { ours, type Sweep, scaleRows, slope } from "../bench/scale-rows.ts";

const load = { bytes: 64, readers: 1, paced: 8, rate: 30, burstMs: 0 };
const sweep: Sweep = {
  name: "by readers, 64 B",
  unit: "reader",
  points: [1, 2, 4].map((x) => ({ x, condition: x === 1 ? "1 reader" : `${x} readers`, load })),
};

/** A call takes 10 us and 3 us for each reader. */
const round = sweep.points.flatMap(({ x, condition }): Series[] =>
  ["put", "summed", "writer's CPU", "reader's CPU", "sent", "received"].map((kase) => ({
    case: kase,
    contender: ours,
    condition,
    samples: [10_000 + 3000 * x],
  })),
);

test("a slope is found through points of which one is far off", () => {
  const points = [1, 2, 4, 8, 16, 32].map((x) => ({ x, y: 5 + 2 * x }));
  expect(slope([...points, { x: 64, y: 10_000 }])).toBe(2);
});

test("a sweep gives its points in order, its slope, and what all processes take", () => {
  const rows = scaleRows(sweep, [round, round]);
  const calls = rows.filter((row) => row.case === "by readers, 64 B: the writer's call");
  expect(calls.map(({ column, p50 }) => [column, p50])).toEqual([
    [0, 13_000],
    [1, 16_000],
    [2, 22_000],
  ]);
  const slopes = rows.filter((row) => row.case === "slope by readers, 64 B: the writer's call");
  expect(slopes.map((row) => row.p50)).toEqual([3000]);
  const taken = rows.filter((row) => row.case.endsWith("share of one core"));
  expect(taken[0]?.p50).toBeCloseTo((30 * (13_000 + 13_000)) / 1e7, 6);
});

test("memory is one sample of a point, with a slope of its own", () => {
  const taken = sweep.points.map(
    ({ x, condition }): Series => ({
      case: "memory",
      contender: ours,
      condition,
      samples: [60 + x],
    }),
  );
  const rows = scaleRows(sweep, [round, [...round, ...taken]]).filter(({ unit }) => unit === "MB");
  expect(rows.map(({ case: kase, p50 }) => [kase, p50])).toEqual([
    ["by readers, 64 B: memory of all processes (PSS)", 61],
    ["by readers, 64 B: memory of all processes (PSS)", 62],
    ["by readers, 64 B: memory of all processes (PSS)", 64],
    ["slope by readers, 64 B: memory of all processes (PSS)", 1],
  ]);
});

/** Python's parser is strict: an attribute without quotes or an open element is an error. */
function rootOf(svg: string): string {
  const program =
    "import sys, xml.dom.minidom as d; r = d.parse(sys.stdin.buffer).documentElement; print(r.namespaceURI, r.localName, len(r.getElementsByTagName('path')) > 0)";
  const done = Bun.spawnSync(["python3", "-c", program], { stdin: Buffer.from(svg) });
  return done.success ? done.stdout.toString().trim() : done.stderr.toString();
}

test("a picture is well-formed SVG with lines in it", () => {
  const found = scalePlots(scaleRows(sweep, [round, round]));
  expect([...found.keys()]).toEqual(["readers"]);
  expect(rootOf(found.get("readers") as string)).toBe("http://www.w3.org/2000/svg svg True");
});

/** Drawn in a process without a test's globals: where the library sees those it shifts everything by half a pixel. */
function drawnFromResults(): Map<string, string> {
  const program = `
    import { scalePlots } from "./plots.ts";
    import { lastRuns, newestResults, readRuns, resultsFolder } from "./results.ts";
    const runs = lastRuns(readRuns(resultsFolder + "/" + newestResults()));
    console.log(JSON.stringify([...scalePlots(runs.get("scale")?.rows ?? [])]));`;
  const cwd = join(import.meta.dir, "../bench");
  const done = Bun.spawnSync([process.execPath, "-e", program], { cwd, stderr: "inherit" });
  return new Map(JSON.parse(done.stdout.toString()));
}

test("the pictures are those of the newest result file: else run `bun run bench --table`", () => {
  const found = drawnFromResults();
  const files = existsSync(plotsFolder) ? readdirSync(plotsFolder) : [];
  expect(files.sort()).toEqual([...found.keys()].map((name) => `${name}.svg`).sort());
  for (const [name, svg] of found) {
    expect(readFileSync(join(plotsFolder, `${name}.svg`), "utf8")).toBe(svg);
  }
});
