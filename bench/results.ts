/** The result file: JSON lines, one header a run and its rows after it. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Absence, Row } from "./bench.ts";
import type { RunHeader } from "./machine.ts";

export const resultsFolder = join(import.meta.dir, "results");

export interface Run {
  header: RunHeader;
  rows: Row[];
  absent: Absence[];
}

type Line =
  | ({ type: "run" } & RunHeader)
  | ({ type: "row" } & Row)
  | ({ type: "absent" } & Absence);

export function appendRun(path: string, { header, rows, absent }: Run): void {
  const lines: Line[] = [
    { type: "run", ...header },
    ...rows.map((row) => ({ type: "row" as const, ...row })),
    ...absent.map((absence) => ({ type: "absent" as const, ...absence })),
  ];
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
}

export function readRuns(path: string): Run[] {
  return runsIn(readFileSync(path, "utf8"));
}

function runsIn(lines: string): Run[] {
  const runs: Run[] = [];
  for (const text of lines.split("\n").filter(Boolean)) {
    const { type, ...rest } = JSON.parse(text) as Line;
    const run = runs.at(-1);
    if (type === "run") runs.push({ header: rest as RunHeader, rows: [], absent: [] });
    else if (type === "row") run?.rows.push(rest as Row);
    else run?.absent.push(rest as Absence);
  }
  return runs;
}

/** Every run that is committed, the oldest first; none where this is no git checkout. */
export function committedRuns(): Run[] {
  const command = ["git", "-c", "safe.directory=*"]; // as in test/tidy.ts
  const git = (...words: string[]) => Bun.spawnSync([...command, ...words], { cwd: resultsFolder });
  const files = git("ls-tree", "--name-only", "HEAD", "./").stdout.toString().split("\n");
  return files
    .filter((file) => file.endsWith(".jsonl"))
    .sort()
    .flatMap((file) => runsIn(git("show", `HEAD:./${file}`).stdout.toString()));
}

/** Name of the newest result file, which is its date; null before the first. */
export function newestResults(): string | null {
  if (!existsSync(resultsFolder)) return null;
  const files = readdirSync(resultsFolder).filter((name) => name.endsWith(".jsonl"));
  return files.sort().at(-1) ?? null;
}

/** The last run of each bench. */
export function lastRuns(runs: Run[]): Map<string, Run> {
  return new Map(runs.map((run) => [run.header.bench, run]));
}
