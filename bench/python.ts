import { join } from "node:path";
import type { Absence, Bench, Comparison } from "./bench.ts";
import { pythonWith } from "./environment.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const copy = "an owned copy of 1080p";
const into = "1080p into the caller's memory";
const look = "latest(), a view, valid()";
const numpyVersion = "2.4.6";

function comparisonsOf(kind: string): Comparison[] {
  const named = (name: string) => `${name}, ${kind}`;
  return [
    {
      case: copy,
      contender: named("copy()"),
      against: named("bytes(mmap[...])"),
      goal: { most: 1.2 },
    },
    { case: into, contender: named("copy(out)"), against: named("memcpy"), goal: { most: 1.1 } },
    { case: look, contender: named("frame.data"), condition: "hot", goal: { most: 2000 } },
  ];
}

/** clients/python/streamem.py against plain copies out of the same mapping, on frames that another process writes. */
export const bench: Bench = {
  name: "python",
  title: "The Python reader",
  usual: true,
  async run(context) {
    const absent: Absence[] = [];
    const feed = await Program.start("feed", [compileC("feed", context)], context.environment);
    const script = join(import.meta.dir, "reader.py");
    const programs = [await Program.start("python3", ["python3", script], context.environment)];
    try {
      context.say("NumPy, into a throw-away environment");
      const command = [pythonWith([`numpy==${numpyVersion}`]), script];
      programs.push(await Program.start("python3 with NumPy", command, context.environment));
    } catch (error) {
      absent.push({ bench: "python", case: copy, contender: "NumPy", why: String(error) });
    }
    const rounds = await takeTurns(programs, 20, context);
    for (const program of [...programs, feed]) await program.end();
    const comparisons = ["standard library", "NumPy"].flatMap(comparisonsOf);
    const versions = Object.assign({}, ...programs.map((program) => program.versions));
    return { rows: rowsOf("python", "ns", rounds, comparisons), absent, versions };
  },
};
