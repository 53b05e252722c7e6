/**
 * `bun run bench [name ...]` measures, prints tables and appends to bench/results/<date>.jsonl.
 * `bun run bench --table` makes the README's tables and plots from the newest result file.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { BenchContext } from "./bench.ts";
import { benchNames, loadBench } from "./benches.ts";
import { compare, guardWords } from "./guard.ts";
import { commit, load, machine, versions } from "./machine.ts";
import { plotsFolder, scalePlots } from "./plots.ts";
import { clearLeftovers } from "./program.ts";
import {
  appendRun,
  committedRuns,
  lastRuns,
  newestResults,
  type Run,
  readRuns,
  resultsFolder,
} from "./results.ts";
import { benchTable, withTables } from "./table.ts";

const readmePath = join(import.meta.dir, "README.md");

interface Options {
  table?: boolean;
  repeat: number;
  share: number;
  out?: string;
}

function shareOf(text: string): number {
  const share = Number(text);
  if (share > 0 && share <= 20) return share;
  throw new InvalidArgumentError("allowed: a number above 0, at most 20");
}

function timesOf(text: string): number {
  const times = Number(text);
  if (Number.isInteger(times) && times >= 1 && times <= 100) return times;
  throw new InvalidArgumentError("allowed: a whole number from 1 to 100");
}

const program = new Command("bench")
  .argument("[names...]", `what to measure: ${benchNames.join(", ")}; else the usual ones`)
  .option("--share <n>", "part of the usual number of rounds; 0.1 for a look", shareOf, 1)
  .option(
    "--repeat <n>",
    "how often; the guard learns from runs that differ in nothing",
    timesOf,
    1,
  )
  .option("--out <file>", "result file to append to; else bench/results/<date>.jsonl")
  .option("--table", "make tables and plots of bench/README.md from the newest result file")
  .action(async (names: string[], options: Options) => {
    if (options.table) return tables();
    const unknown = names.filter((name) => !benchNames.includes(name));
    if (unknown.length > 0) {
      program.error(`no bench ${unknown.join(", ")}; there are: ${benchNames.join(", ")}`, {
        exitCode: 2,
      });
    }
    await measure(names, options);
  });

function tables(): void {
  const file = newestResults();
  if (file === null) throw new Error("there is no result file in bench/results");
  const runs = lastRuns(readRuns(join(resultsFolder, file)));
  writeFileSync(readmePath, withTables(readFileSync(readmePath, "utf8"), file, runs));
  mkdirSync(plotsFolder, { recursive: true });
  for (const [name, svg] of scalePlots(runs.get("scale")?.rows ?? [])) {
    writeFileSync(join(plotsFolder, `${name}.svg`), svg);
  }
}

async function measure(names: string[], options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "streamem-bench-"));
  const prefix = `bench${process.pid}`;
  const path = options.out ?? join(resultsFolder, `${new Date().toISOString().slice(0, 10)}.jsonl`);
  const environment = { STREAMEM_PREFIX: prefix, STREAMEM_DIR: folder };
  try {
    const wanted = (
      await Promise.all((names.length > 0 ? names : benchNames).map(loadBench))
    ).filter((bench) => names.length > 0 || bench.usual);
    const earlier = committedRuns();
    for (const bench of Array.from({ length: options.repeat }, () => wanted).flat()) {
      const say = (words: string) => progress(`${bench.name}: ${words}`);
      const context = { prefix, folder, environment, share: options.share, say };
      const run = await runOne(bench.name, bench.run, context);
      appendRun(path, run);
      progress("");
      console.log(`## ${bench.title}\n\n${benchTable(bench.name, run)}\n`);
      for (const words of guardWords(compare(run, earlier))) console.log(`${words}\n`);
    }
    console.log(`appended to ${path}`);
  } finally {
    clearLeftovers(prefix);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runOne(
  name: string,
  run: (context: BenchContext) => Promise<Pick<Run, "rows" | "absent"> & { versions?: object }>,
  context: BenchContext,
): Promise<Run> {
  const started = new Date();
  const loadBefore = load();
  const {
    rows,
    absent,
    versions: found,
  } = await run(context).catch((error) => ({
    rows: [],
    absent: [{ bench: name, case: "all", contender: "all", why: String(error) }],
    versions: {},
  }));
  const header = {
    run: `${started.toISOString().slice(0, 19)}Z`,
    bench: name,
    ...commit(),
    machine: machine(),
    versions: { ...versions(), ...found },
    loadBefore,
    loadAfter: load(),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
  };
  return { header, rows, absent };
}

/** One line that is written over; nothing where nobody watches. */
function progress(words: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${words}`);
}

await program.parseAsync();
