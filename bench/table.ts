/** Results as Markdown: one table a bench, conditions as columns; and the README's tables made from a result file. */
import { type Absence, isCount, type Row } from "./bench.ts";
import type { Run } from "./results.ts";

/**
 * One bench of one run: a line that says where it comes from, then its tables.
 * @param part only of the cases that begin so
 */
export function benchTable(bench: string, run: Run, part = ""): string {
  const rows = run.rows.filter((row) => row.bench === bench && row.case.startsWith(part));
  const absent = run.absent.filter((absence) => absence.bench === bench);
  const tables = [...Map.groupBy(rows, (row) => row.part ?? "").values()].map(table);
  return `${origin(run)}\n\n${tables.join("\n\n")}${absent.map(absentLine).join("")}`;
}

function origin({ header }: Run): string {
  const { commit, changed, machine, versions, run, loadBefore, loadAfter } = header;
  const tree = changed.length > 0 ? `${commit} and ${changed.length} files changed since` : commit;
  const what = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Commit ${tree}; ${run}; ${machine}; ${what.join(", ")}; load average ${loadBefore} before, ${loadAfter} after.`;
}

function absentLine({ case: kase, contender, why }: Absence): string {
  return `\n\nNot measured: ${contender} (${kase}): ${why.replace(/\s+/g, " ")}`;
}

function table(rows: Row[]): string {
  const inOrder = [...rows].sort(
    (a, b) => (a.column ?? 0) - (b.column ?? 0) || naturally(a.condition, b.condition),
  );
  const conditions = [...new Set(inOrder.map((row) => row.condition))];
  const lines = Map.groupBy([...rows].sort(floorsFirst), (row) =>
    JSON.stringify([row.case, row.contender]),
  );
  const head = ["", "", ...conditions.map((condition) => condition || "value"), "goal"];
  const body = [...lines.values()].map((group) => {
    const { case: kase, contender } = group[0] as Row;
    const cells = conditions.map((condition) => {
      const row = group.find((candidate) => candidate.condition === condition);
      return row ? cell(row) : "";
    });
    return [kase, contender, ...cells, goals(group)];
  });
  let before = "";
  for (const line of body) {
    const kase = line[0] as string;
    if (kase === before) line[0] = "";
    before = kase;
  }
  const rule = head.map(() => "---");
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const naturally = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

/** By case; what others are held against stands above them. */
function floorsFirst(a: Row, b: Row): number {
  const weight = (row: Row) => (row.against || row.goal ? 1 : 0);
  return naturally(a.case, b.case) || weight(a) - weight(b) || naturally(a.contender, b.contender);
}

function cell(row: Row): string {
  const [middle, low, high] = [row.p50, row.p10, row.p90].map((value) => scaled(value, row));
  const spread = row.count > 1 ? ` (${low} – ${high})` : "";
  const { against } = row;
  const ratio = against
    ? `, **${fixed(against.ratio)} x** [${fixed(against.low)} – ${fixed(against.high)}]`
    : "";
  return `${middle} ${unitOf(row)}${spread}${ratio}`;
}

function goals(group: Row[]): string {
  const judged = group.filter((row) => row.goal !== undefined);
  const first = judged[0];
  if (!first?.goal) return "";
  const missed = judged.filter((row) => !row.reached);
  const where = missed.map((row) => row.condition).filter(Boolean);
  const bound = (value: number) =>
    first.against ? `${fixed(value)} x` : `${scaled(value, first)} ${unitOf(first)}`;
  const { least, most } = first.goal;
  const words = least === undefined ? `at most ${bound(most)}` : `${bound(least)} – ${bound(most)}`;
  if (missed.length === 0) return `${words}: reached`;
  return `${words}: missed${where.length > 0 ? ` (${where.join(", ")})` : ""}`;
}

/** Small ones as long as they say something. */
const fixed = (value: number) => (value >= 0.1 ? value.toFixed(2) : value.toPrecision(2));

/** ns become us where the median has four digits, for the whole cell. */
const inUs = ({ unit, p50 }: Row) => unit === "ns" && Math.abs(p50) >= 1000;
const unitOf = (row: Row) => (inUs(row) ? "us" : row.unit);

function scaled(value: number, row: Row): string {
  const number = inUs(row) ? value / 1000 : value;
  const size = Math.abs(number);
  const isWhole = isCount(row.unit) || size >= 100;
  return number.toFixed(isWhole ? 0 : size >= 10 ? 1 : 2);
}

const source = /<!-- results: (.*) -->/;
const block = /(<!-- table: ([a-z-]+)(?:, ([^>]+))? -->)\n[\s\S]*?<!-- end -->/g;

/** Name of the result file that the tables of `readme` were made from. */
export function sourceOf(readme: string): string | undefined {
  return source.exec(readme)?.[1];
}

/**
 * `readme` with each block between `<!-- table: name -->` and `<!-- end -->` made from the last run of that bench;
 * `<!-- table: name, words -->`: of the cases that begin with these words.
 */
export function withTables(readme: string, file: string, runs: Map<string, Run>): string {
  return readme
    .replace(source, `<!-- results: ${file} -->`)
    .replace(block, (whole, head: string, bench: string, part?: string) => {
      const run = runs.get(bench);
      return run ? `${head}\n\n${benchTable(bench, run, part)}\n\n<!-- end -->` : whole;
    });
}
