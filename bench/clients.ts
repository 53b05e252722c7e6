import { join } from "node:path";
import { createWriter } from "../src/ring.ts";
import { goProgram } from "../test/go-programs.ts";
import { rustProgram } from "../test/rust-programs.ts";
import type { Absence, Bench, BenchContext } from "./bench.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const here = join(import.meta.dir, "clients");
const sizes = { "64 B": 64, "720p": 1280 * 720 * 3, "1080p": 1920 * 1080 * 3 };

/** What starts each language's program; it throws where this machine cannot. */
const languages: Record<string, (context: BenchContext) => string[]> = {
  C: (context) => [compileC("clients/reader", context)],
  Rust: () => [rustProgram("bench_reader")],
  TypeScript: () => [process.execPath, join(here, "reader-program.ts")],
  Go: () => [goProgram("programs/bench_reader")],
  Node: () => ["node", join(here, "reader.mjs")],
  Python: () => ["python3", join(here, "reader.py")],
};

/** The same two calls in each language, on the same frame, beside memcpy in C. */
export const bench: Bench = {
  name: "clients",
  title: "The clients side by side",
  usual: true,
  async run(context) {
    const absent: Absence[] = [];
    const writers = Object.entries(sizes).map(([label, bytes]) => {
      const name = `clients-${label.toLowerCase().replace(" ", "")}`;
      const writer = createWriter(
        name,
        { kind: "tensor", dtype: "|u1", shape: [bytes] },
        { prefix: context.prefix },
      );
      writer.publish(new Uint8Array(bytes).map((_, i) => i * 31));
      return writer;
    });
    const programs: Program[] = [];
    for (const [contender, command] of Object.entries(languages)) {
      try {
        programs.push(await Program.start(contender, command(context), context.environment));
      } catch (error) {
        absent.push({ bench: "clients", case: "latest()", contender, why: String(error) });
      }
    }
    const rounds = await takeTurns(programs, 20, context);
    for (const program of programs) await program.end();
    for (const writer of writers) writer.close();
    const comparisons = Object.keys(sizes).flatMap((label) =>
      Object.keys(languages).map((contender) => ({
        case: `a checked copy, ${label}`,
        contender,
        against: "memcpy",
      })),
    );
    const rows = rowsOf("clients", "ns", rounds, comparisons);
    for (const row of rows) if (row.contender === "memcpy") row.foreign = true;
    return { rows, absent };
  },
};
