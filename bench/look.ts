import type { Bench } from "./bench.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const into = "1080p into the caller's memory";
const shared = "1080p into shared memory";
const firstTouch = "memcpy, first touch";

/** clients/c/streamem.h reading frames that another process writes, and the first touch of memory on either side. */
export const bench: Bench = {
  name: "look",
  title: "The C reader",
  usual: true,
  async run(context) {
    const feed = await Program.start("feed", [compileC("feed", context)], context.environment);
    const program = await Program.start("look", [compileC("look", context)], context.environment);
    const rounds = await takeTurns([program], 12, context);
    for (const one of [program, feed]) await one.end();
    const rows = rowsOf("look", "ns", rounds, [
      { case: into, contender: "streamem_copy", against: "memcpy", goal: { most: 1.1 } },
      { case: into, contender: "memcpy from a new mapping", against: "memcpy" },
      { case: shared, contender: firstTouch, against: "memcpy, warm" },
      {
        case: "latest(), a view, valid()",
        contender: "C",
        condition: "hot",
        goal: { most: 1000 },
      },
    ]);
    for (const row of rows) if (row.contender.startsWith("memcpy")) row.foreign = true;
    return { rows, absent: [] };
  },
};
