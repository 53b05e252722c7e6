import { join } from "node:path";
import type { Bench, Comparison } from "./bench.ts";
import { goalCase, receiverName, streamCases } from "./hololens-cases.ts";
import { Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

/** What a headset's receivers add to decoding, without a network and without a simulator that encodes. */
export const bench: Bench = {
  name: "hololens-decode",
  title: "CPU time of a headset's packets, decoded into the ring",
  usual: false,
  async run(context) {
    const command = [process.execPath, join(import.meta.dir, "hololens-decode-program.ts")];
    const program = await Program.start("hololens-decode", command, context.environment);
    const rounds = await takeTurns([program], 8, context);
    await program.end();
    const comparisons: Comparison[] = streamCases.map(({ name, bare }) => ({
      case: name,
      contender: receiverName,
      against: bare,
      ...(name === goalCase.name && { goal: { most: 1.15 } }),
    }));
    return { rows: rowsOf("hololens-decode", "ns", rounds, comparisons), absent: [] };
  },
};
