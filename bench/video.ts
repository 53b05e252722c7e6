import { join } from "node:path";
import type { Bench, Comparison } from "./bench.ts";
import { Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

/** What the video sensor adds to decoding and converting a picture. */
export const bench: Bench = {
  name: "video",
  title: "CPU time of a picture, decoded into the ring",
  usual: true,
  async run(context) {
    const command = [process.execPath, join(import.meta.dir, "video-program.ts")];
    let program: Program;
    try {
      program = await Program.start("video", command, context.environment);
    } catch (error) {
      const absence = { bench: "video", case: "all", contender: "node-av", why: String(error) };
      return { rows: [], absent: [absence] };
    }
    const rounds = await takeTurns([program], 6, context);
    await program.end();
    const comparison: Comparison = {
      case: "720p H.264, one thread",
      contender: "the video sensor",
      against: "FFmpeg alone",
    };
    return { rows: rowsOf("video", "ns", rounds, [comparison]), absent: [] };
  },
};
