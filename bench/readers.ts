import type { Bench, Comparison } from "./bench.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

/** The writer's CPU time with readers that never sleep, against as many that read elsewhere. */
export const bench: Bench = {
  name: "readers",
  title: "The writer's CPU time, by number of readers",
  usual: true,
  async run(context) {
    const program = await Program.start(
      "readers",
      [compileC("readers", context)],
      context.environment,
    );
    const rounds = await takeTurns([program], 12, context);
    await program.end();
    const goal = { least: 0.8, most: 1.2 };
    const comparisons: Comparison[] = ["1 reader", "10 readers"].flatMap((condition) => {
      const pair = { condition, againstCondition: `${condition} elsewhere` };
      return [
        { case: "1080p, 6,220,800 B", contender: "memcpy into the slot", ...pair },
        { case: "1080p, 6,220,800 B", contender: "publish", ...pair, goal },
        { case: "64 B", contender: "publish", ...pair, goal },
      ];
    });
    return { rows: rowsOf("readers", "ns", rounds, comparisons), absent: [] };
  },
};
