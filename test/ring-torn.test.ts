// Never torn: a writer at full rate on four slots, readers in processes of their own that are lapped all the time.
//
// To see it fail, take out the line of clients/c/streamem.h that a mutant below names: the test does so itself, so
// the lines cannot go stale. Taking out a *fence* cannot fail a test on x86-64: fences cost no instruction there and
// only bind the compiler (LAYOUT.md, "Memory order"); arm64 would show it.
import { describe, expect, test } from "bun:test";
import {
  cleanUpAfterwards,
  compiler,
  finish,
  freshPrefix,
  jsonLines,
  leftovers,
  long,
  type Mutation,
  program,
} from "./ring-programs.ts";

cleanUpAfterwards();

interface Tally {
  deliveries: number;
  rejections: number;
  torn: number;
}
interface Run {
  stores: "plain" | "streaming";
  deliveries?: number;
  rejections?: number;
  readers?: number;
  mutation?: Mutation;
}

const enough = 100_000;
const CANCEL_MS = 3_600_000; // only so that a run that hangs is ended

async function torn(options: Run): Promise<Tally[]> {
  const { stores, deliveries = enough, rejections = enough, readers = 2, mutation } = options;
  const prefix = freshPrefix();
  const numbers = [deliveries, rejections, readers].map(String);
  const done = await finish([program("torn", [], mutation), prefix, stores, ...numbers]);
  expect(done.ended + done.stdout.replace(/.+\n/g, "")).toBe("exit 0");
  expect(leftovers(prefix)).toEqual([]);
  const tallies = jsonLines<Tally>(done.stdout);
  expect(tallies).toHaveLength(readers);
  return tallies;
}

describe.skipIf(!compiler)(
  "no torn frame of 64 B to 4 KiB, views and copies, by every verb:",
  () => {
    // The streaming variant also answers for the sfence (B) that commit begins with.
    test.each(["plain", "streaming"] as const)(
      "%s stores",
      async (stores) => {
        for (const tally of await torn({ stores })) {
          expect(tally.deliveries).toBeGreaterThanOrEqual(enough);
          expect(tally.rejections).toBeGreaterThanOrEqual(enough);
          expect(tally.torn).toBe(0);
        }
      },
      CANCEL_MS,
    );

    test.skipIf(!long)(
      "10^9 validations (STREAMEM_LONG=1)",
      async () => {
        for (const stores of ["plain", "streaming"] as const) {
          const tallies = await torn({ stores, deliveries: 1e8, rejections: 1e8, readers: 3 });
          const sum = tallies.reduce((all, t) => all + t.deliveries + t.rejections, 0);
          console.log(`${stores} stores: ${sum} validations`, tallies);
          expect(sum).toBeGreaterThanOrEqual(5e8);
          expect(tallies.map((tally) => tally.torn)).toEqual([0, 0, 0]);
        }
      },
      CANCEL_MS,
    );
  },
);

describe.skipIf(!compiler)("the test above can fail, without", () => {
  const mutants: [string, Run["stores"], Mutation][] = [
    [
      "the check of begin in streamem__read",
      "plain",
      { line: "  if (STREAMEM_LOAD_RELAXED(&slot->begin) != sequence) return 0;\n" },
    ],
    [
      "the check of begin after use",
      "plain",
      {
        line: "  return STREAMEM_LOAD_RELAXED(&frame->slot->begin) == frame->sequence;\n",
        instead: "  return 1;\n",
      },
    ],
    [
      "the check of end",
      "plain",
      { line: "  if (STREAMEM_LOAD_ACQUIRE(&slot->end) != sequence) return 0; /* (C) */\n" },
    ],
  ];
  test.each(mutants)(
    "%s",
    async (_, stores, mutation) => {
      const tallies = await torn({ stores, mutation });
      expect(Math.max(...tallies.map((tally) => tally.torn))).toBeGreaterThan(0);
    },
    CANCEL_MS,
  );

  // When streaming stores overtake is the processor's affair, so this one is not part of the ordinary run. On two cores
  // of an EPYC the first torn frame came after 4,000 to 40,000 deliveries.
  test.skipIf(!long || process.arch !== "x64")(
    "the sfence (STREAMEM_LONG=1)",
    async () => {
      const mutation = { line: "  STREAMEM_STREAMING_FENCE(); /* (B) */\n" };
      const tallies = await torn({
        stores: "streaming",
        deliveries: 1e7,
        rejections: 1e7,
        mutation,
      });
      expect(Math.max(...tallies.map((tally) => tally.torn))).toBeGreaterThan(0);
    },
    CANCEL_MS,
  );
});
