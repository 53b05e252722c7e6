import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Absence, Bench, Comparison } from "./bench.ts";
import { Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

/** What a JavaScript producer pays, with the shim as cc -O2 builds it and as Bun's own TinyCC does. */
export const bench: Bench = {
  name: "builds",
  title: "Publishing from JavaScript: both builds of the shim",
  usual: true,
  async run(context) {
    const cache = join(context.folder, "no-compiler"); // empty: a library built before would be taken
    mkdirSync(cache, { recursive: true });
    const builds = {
      "cc -O2": context.environment,
      TinyCC: { ...context.environment, XDG_CACHE_HOME: cache, STREAMEM_NO_COMPILER: "1" },
    };
    const programs: Program[] = [];
    const absent: Absence[] = [];
    for (const [build, environment] of Object.entries(builds)) {
      const command = [process.execPath, join(import.meta.dir, "builds-program.ts"), build];
      try {
        programs.push(await Program.start(build, command, environment));
      } catch (error) {
        absent.push({ bench: "builds", case: "all", contender: build, why: String(error) });
      }
    }
    const rounds = await takeTurns(programs, 10, context);
    for (const program of programs) await program.end();
    const comparisons: Comparison[] = ["64 B", "1080p, 6,220,800 B"].flatMap((kase) => [
      { case: kase, contender: "streamem_publish, TinyCC", against: "streamem_publish, cc -O2" },
      {
        case: kase,
        contender: "RingWriter.publish, TinyCC",
        against: "RingWriter.publish, cc -O2",
      },
    ]);
    return { rows: rowsOf("builds", "ns", rounds, comparisons), absent };
  },
};
