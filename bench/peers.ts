import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Absence, Bench, BenchContext, Row, Series } from "./bench.ts";
import { cpuNs, memoryMb } from "./hub-process.ts";
import { peers, startPeer } from "./peers/peer.ts";
import { peerRows, readersWords } from "./peers-rows.ts";
import { type Program, takeTurns } from "./program.ts";

/** Sizes of a frame, the small ones first. */
export const sizes = [
  { kase: "64 B", bytes: 64 },
  { kase: "720p, 2,764,800 B", bytes: 2_764_800 },
  { kase: "1080p, 6,220,800 B", bytes: 6_220_800 },
];
const readerCounts = [1, 10];
const rounds = 6;
const restMs = 4000;
const killedBytes = 64;
/** Where systems keep what their processes share. */
const sharedFolders = ["/dev/shm", "/tmp/iceoryx2"];
/** And what they call it there; other names are other people's. */
const sharedNames = /iox2_|iceoryx2|\.zenoh$|\/psm_|\/sem\.mp-|the-ancestor/;
const turn = { paced: 10, rate: 30, burstMs: 30 };

interface Cell {
  kase: string;
  contender: string;
  program: Program;
}

/** Everything that a user would pick instead, side by side with ours and with what neither can do without. */
export const bench: Bench = {
  name: "peers",
  title: "Frames to other processes: ours, what it is held against, and what others use",
  usual: true,
  async run(context) {
    const all: Series[][] = [];
    const absent: Absence[] = [];
    const versions: Record<string, string> = {};
    for (const { kase, bytes } of sizes) {
      const cells = await startAll(kase, bytes, context, absent);
      for (const { program } of cells) Object.assign(versions, program.versions);
      const names = new Map(cells.map((cell) => [cell.program, cell]));
      const found = await takeTurns([...names.keys()], rounds, context, (program, series) => {
        const { kase, contender } = names.get(program) as Cell;
        return series.map((one) => ({ ...one, case: kase, contender }));
      });
      found.forEach((series, round) => {
        all[round] = [...(all[round] ?? []), ...series];
      });
      all[0] = [...(all[0] ?? []), ...(await atRest(cells))];
      for (const { program } of cells) await program.end();
      if (bytes === killedBytes) all[0].push(...(await killed(context)));
    }
    return { rows: peerRows(all) satisfies Row[], absent: once(absent), versions };
  },
};

/** What one reader costs while nothing is written: memory, and CPU time in some seconds of waiting. */
async function atRest(cells: Cell[]): Promise<Series[]> {
  const single = cells.filter(({ program }) => program.pids.length === 1);
  const used = () => single.map(({ program }) => cpuNs(program.pids[0] as number));
  const before = used();
  await Bun.sleep(restMs);
  const after = used();
  return single.flatMap(({ kase, contender, program }, i) => {
    const { rss, pss } = memoryMb(program.pids[0] as number);
    const percent = (((after[i] ?? 0) - (before[i] ?? 0)) / (restMs * 1e6)) * 100;
    const measured = { "memory, PSS": pss, "memory, RSS": rss, "waiting CPU": percent };
    return Object.entries(measured).map(([condition, value]) => ({
      case: kase,
      contender,
      condition,
      samples: [value],
    }));
  });
}

/** Files that are left when writer and reader are killed, one system after the other. The control file is ours and does not count. */
async function killed(context: BenchContext): Promise<Series[]> {
  const found: Series[] = [];
  for (const peer of peers()) {
    const [contender] = peer.contenders as [(typeof peer.contenders)[number]];
    const before = sharedFiles();
    const load = { bytes: killedBytes, readers: 1, ...turn };
    const program = await startPeer(peer, contender, load, context).catch(() => null);
    if (program === null) continue;
    const born = [...sharedFiles().difference(before)]; // others on this machine have files too
    for (const pid of program.pids) process.kill(pid, "SIGKILL");
    await program.kill();
    const left = born
      .filter((path) => sharedNames.test(path) || path.includes(context.prefix))
      .filter((path) => existsSync(path) && !path.endsWith(".control"));
    found.push({
      case: "files left after kill -9 of writer and reader",
      contender: contender.name,
      condition: "left",
      samples: [left.length],
    });
    for (const path of left) rmSync(path, { force: true });
  }
  return found;
}

function sharedFiles(): Set<string> {
  const paths = sharedFolders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
  return new Set(paths);
}

/** One program for each contender and number of readers; all of one size run at the same time and take turns. */
async function startAll(
  size: string,
  bytes: number,
  context: BenchContext,
  absent: Absence[],
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const peer of peers()) {
    for (const contender of peer.contenders) {
      for (const readers of contender.readers ?? readerCounts) {
        context.say(`${size}: starting ${contender.name}`);
        try {
          const program = await startPeer(peer, contender, { bytes, readers, ...turn }, context);
          const kase = `${size}, ${readersWords(readers)}`;
          cells.push({ kase, contender: contender.name, program });
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          absent.push({ bench: "peers", case: "all", contender: contender.name, why });
        }
      }
    }
  }
  return cells;
}

/** Each contender and reason said once. */
function once(absent: Absence[]): Absence[] {
  return [...new Map(absent.map((absence) => [JSON.stringify(absence), absence])).values()];
}
