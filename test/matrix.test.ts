/**
 * Each language's writer with each language's reader, at full rate, every word checked. A row is one writer with all readers
 * on its ring at the same time; it is run again, with the readers that are short still, until each cell has its thousand.
 * Printed as a table at the end. A thousand large frames in each of 30 cells are minutes of two cores: the ordinary run has
 * a hundred, STREAMEM_LONG=1 the thousand.
 * To see it fail: take the check of `begin` out of valid() in one client (clients/python/streamem.py: `return True`), and
 * its column has wrong frames.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { matrixReaders, matrixWriters } from "./matrix-programs.ts";
import { cleanUpAfterwards, finish, freshPrefix, leftovers, long, Talk } from "./ring-programs.ts";

interface Cell {
  delivered: number;
  rejected: number;
  wrong: number;
  missed: number;
}

interface Size {
  label: string;
  bytes: number;
  slots: number;
  seconds: number;
  /** Frames that each reader has to have, all words right. */
  deliveredMin: number;
  /** Frames that have to be overwritten in a reader's hands. */
  rejectedMin: number;
}

const sizes: Size[] = [
  { label: "64 B", bytes: 64, slots: 256, seconds: 2, deliveredMin: 1000, rejectedMin: 1000 },
  {
    label: "1080p",
    bytes: 1920 * 1080 * 3,
    slots: 8,
    seconds: long ? 6 : 2,
    deliveredMin: long ? 1000 : 100,
    rejectedMin: 0,
  },
];
/** Only so that a cell that never gets there ends the row. */
const runsMax = 20;
const hangMs = long ? 1_200_000 : 120_000;

cleanUpAfterwards();
const table: Record<string, string>[] = [];
afterAll(() => console.log(`\n${Bun.inspect.table(table)}`));

for (const size of sizes) {
  describe(`frames of ${size.label}`, () => {
    test.each(Object.keys(matrixWriters))(
      "written in %s",
      async (writer) => {
        const row = await rowOf(writer, size);
        table.push({ "": `${size.label} from ${writer}`, ...shown(row, size) });
        for (const [reader, cell] of Object.entries(row)) {
          expect({ reader, wrong: cell.wrong }).toEqual({ reader, wrong: 0 });
          expect(cell.delivered, `delivered to ${reader}`).toBeGreaterThanOrEqual(
            size.deliveredMin,
          );
          expect(cell.rejected, `rejected in ${reader}`).toBeGreaterThanOrEqual(size.rejectedMin);
        }
      },
      hangMs,
    );
  });
}

async function rowOf(writer: string, size: Size): Promise<Record<string, Cell>> {
  const row: Record<string, Cell> = {};
  const isShort = ({ delivered, rejected, wrong }: Cell) =>
    wrong === 0 && (delivered < size.deliveredMin || rejected < size.rejectedMin);
  const none = { delivered: 0, rejected: 0, wrong: 0, missed: 0 };
  for (let run = 0; run < runsMax; run++) {
    // Frames are overwritten in a reader's hands while it and the writer have a core each: who has enough makes room.
    const short = Object.keys(matrixReaders).filter((reader) => isShort(row[reader] ?? none));
    if (short.length === 0) break;
    for (const [reader, cell] of Object.entries(await runOnce(writer, short, size))) {
      const sum = row[reader] ?? { ...none };
      for (const key of Object.keys(sum) as (keyof Cell)[]) sum[key] += cell[key];
      row[reader] = sum;
    }
  }
  return row;
}

/** One writer's seconds, with all of these readers. */
async function runOnce(writer: string, names: string[], { bytes, slots, seconds }: Size) {
  const prefix = freshPrefix();
  const ring = [prefix, "matrix", `${bytes}`];
  const readers = names.map((name) => {
    const command = matrixReaders[name] as string[];
    return [name, new Talk([...command, ...ring])] as const;
  });
  // The writer's seconds are few: all readers have loaded what they need when they begin.
  for (const [, talk] of readers) expect(await talk.line()).toBe("waiting");
  const command = matrixWriters[writer] as string[];
  const done = await finish([...command, ...ring, `${slots}`, `${seconds}`]);
  expect(done.ended, `${writer}: ${done.stderr}`).toBe("exit 0");
  const { published } = JSON.parse(done.stdout) as { published: number };
  expect(published).toBeGreaterThan(slots);
  const cells: Record<string, Cell> = {};
  for (const [reader, talk] of readers) {
    cells[reader] = JSON.parse(await talk.line());
    expect(await talk.child.exited, `${reader} reads ${writer}`).toBe(0);
  }
  expect(leftovers(prefix)).toEqual([]);
  return cells;
}

function shown(row: Record<string, Cell>, { rejectedMin }: Size): Record<string, string> {
  const cells = Object.entries(row).map(([reader, { delivered, rejected, wrong }]) => [
    reader,
    `${delivered}${rejectedMin ? ` / ${rejected}` : ""}${wrong ? ` WRONG ${wrong}` : ""}`,
  ]);
  return Object.fromEntries(cells);
}
