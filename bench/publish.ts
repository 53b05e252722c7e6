import type { Bench } from "./bench.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const large = "1080p, 6,220,800 B";

/** publish() against a plain memcpy into the same slots, and against the calls that it cannot do without. */
export const bench: Bench = {
  name: "publish",
  title: "Publishing",
  usual: true,
  async run(context) {
    const program = await Program.start(
      "publish",
      [compileC("publish", context)],
      context.environment,
    );
    const rounds = await takeTurns([program], 18, context);
    await program.end();
    const rows = rowsOf("publish", "ns", rounds, [
      // 90 % of memcpy's speed
      {
        case: large,
        contender: "publish",
        against: "memcpy into the slot",
        goal: { most: 1 / 0.9 },
      },
      { case: "64 B", contender: "publish", against: "FUTEX_WAKE + 2 clocks", goal: { most: 1.3 } },
    ]);
    return { rows, absent: [] };
  },
};
