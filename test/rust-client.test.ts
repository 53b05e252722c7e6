// The Rust client: its own tests, the hunt for torn frames with each protection taken out, and writers that are killed.
import { describe, expect, test } from "bun:test";
import {
  cleanUpAfterwards,
  finish,
  freshPrefix,
  jsonLines,
  leftovers,
  Talk,
} from "./ring-programs.ts";
import { cargoOnCrate, mutatedRustProgram, rust, rustProgram } from "./rust-programs.ts";

cleanUpAfterwards();

const CANCEL_MS = 600_000; // only so that a run that hangs is ended
const enough = 100_000;

interface Tally {
  deliveries: number;
  rejections: number;
  torn: number;
  generations: number;
}

/** A writer at full rate, and what two readers of it say in the end. */
async function hunt(reader: string, kills = 0): Promise<Tally[]> {
  const prefix = freshPrefix();
  const startWriter = async () => {
    const writer = new Talk([rustProgram("torn"), prefix, "write"]);
    expect(await writer.line()).toBe("ready");
    return writer;
  };
  let writer = await startWriter();
  const command = [reader, prefix, "read", `${enough}`, `${enough}`];
  const running = [finish(command), finish(command)];
  for (let i = 0; i < kills; i++) {
    await writer.kill();
    writer = await startWriter();
  }
  const done = await Promise.all(running);
  expect(done.map(({ stderr, ended }) => stderr + ended)).toEqual(["exit 0", "exit 0"]);
  writer.child.stdin.end();
  await writer.child.exited;
  expect(leftovers(prefix)).toEqual([]);
  return done.flatMap(({ stdout }) => jsonLines<Tally>(stdout));
}

describe.skipIf(!rust)("the Rust client", () => {
  test(
    "keeps its own tests: verbs on real rings, half-written slots, a fork, JSON of any bytes",
    () => {
      expect(cargoOnCrate("test")).not.toContain("FAILED"); // it throws in cargo's words
    },
    CANCEL_MS,
  );

  test(
    "hands out no torn frame of 64 B to 4 KiB, as a view or a copy, by any verb, while the writer is killed ten times",
    async () => {
      for (const tally of await hunt(rustProgram("torn"), 10)) {
        expect(tally.torn).toBe(0);
        expect(tally.deliveries).toBeGreaterThanOrEqual(enough);
        expect(tally.rejections).toBeGreaterThanOrEqual(enough);
        expect(tally.generations).toBeGreaterThan(1);
      }
    },
    CANCEL_MS,
  );

  // The check of `end`, which no verb needs while a writer lives, is guarded by slots_that_are_not_whole in
  // clients/rust/tests/verbs.rs. A fence costs no instruction on x86-64, so no test there can miss it.
  const mutants = [
    {
      what: "the check of begin after use",
      file: "src/frame.rs",
      line: "        self.ring.still_holds(self.sequence)\n",
      instead: "        true\n",
    },
    {
      what: "the check of begin after the slot header was copied",
      file: "src/ring.rs",
      line: "        if !self.still_holds(sequence) {\n            return None; // (F')\n        }\n",
      instead: "",
    },
  ];
  test.each(mutants)(
    "would be caught without $what",
    async ({ file, line, instead }) => {
      const tallies = await hunt(mutatedRustProgram("torn", { file, line, instead }));
      expect(Math.max(...tallies.map(({ torn }) => torn))).toBeGreaterThan(0);
    },
    CANCEL_MS,
  );
});
