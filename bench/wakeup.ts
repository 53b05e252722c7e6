import type { Bench } from "./bench.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

/** From before publish() to the first bytes in a blocked reader's hand, against bare system calls. */
export const bench: Bench = {
  name: "wakeup",
  title: "Waking one blocked reader",
  usual: true,
  async run(context) {
    const program = await Program.start(
      "wakeup",
      [compileC("wakeup", context)],
      context.environment,
    );
    const rounds = await takeTurns([program], 18, context);
    await program.end();
    const futex = { contender: "newest() on the futex", against: "bare futex" };
    const bell = {
      contender: "epoll on the reader's fd, newest(0)",
      against: "bare two steps, poll and read",
    };
    const rows = rowsOf("wakeup", "ns", rounds, [
      { case: "until the reader has the first bytes", ...futex, goal: { most: 1.3 } },
      { case: "until the reader has the first bytes", ...bell, goal: { most: 1.3 } },
      { case: "the writer's call", ...futex },
      { case: "the writer's call", ...bell },
    ]);
    return { rows, absent: [] };
  },
};
