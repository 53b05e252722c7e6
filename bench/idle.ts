import { join } from "node:path";
import type { Bench, Row, Series, Unit } from "./bench.ts";
import { cpuSeconds, memoryMb, startHub } from "./hub-process.ts";
import { rowsOf } from "./statistics.ts";

const warmUpMs = 8000;
const windowMs = 3000;
const windows = 12;
const cpu = "CPU time, share of one core";

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** The hub with its built-in default (720p30 and a microphone), no reader, no browser: what it costs to have it on. */
export const bench: Bench = {
  name: "idle",
  title: "The idle hub",
  usual: true,
  async run(context) {
    const main = join(import.meta.dir, "..", "src", "main.ts");
    const command = [process.execPath, main, "hub", "--json", "--port", "0"];
    const hub = await startHub(command, context.folder, context.environment);
    const rounds: Series[][] = [];
    const memory: Series[] = [];
    try {
      await Bun.sleep(warmUpMs);
      for (let i = 0; i < Math.max(2, windows * context.share); i++) {
        rounds.push(await cpuWindow(hub.pids));
        context.say(`window ${i + 1} of ${windows}`);
      }
      memory.push(...memoryOf(hub.pids));
    } finally {
      await hub.end();
    }
    const rows = (unit: Unit, series: Series[][]): Row[] =>
      rowsOf("idle", unit, series, [{ case: cpu, contender: "total", goal: { most: 10 } }]);
    return { rows: [...rows("%", rounds), ...rows("MB", [memory])], absent: [] };
  },
};

async function cpuWindow(pids: Map<string, number>): Promise<Series[]> {
  const used = () => new Map([...pids].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const before = used();
  const start = performance.now();
  await Bun.sleep(windowMs);
  const after = used();
  const seconds = (performance.now() - start) / 1000;
  const percent = new Map(
    [...after].map(([name, end]) => [name, ((end - (before.get(name) ?? 0)) / seconds) * 100]),
  );
  percent.set("total", sum(percent.values()));
  return [...percent].map(([contender, share]) => ({
    case: cpu,
    contender,
    condition: "",
    samples: [share],
  }));
}

function memoryOf(pids: Map<string, number>): Series[] {
  const found = [...pids].map(([name, pid]) => ({ name, ...memoryMb(pid) }));
  const kinds = {
    "resident memory (RSS)": "rss",
    "proportional memory (PSS)": "pss",
    "of it rings (PSS of shared memory)": "pssShared",
  } as const;
  return Object.entries(kinds).flatMap(([kase, key]) => {
    const values = [
      ...found.map((process) => [process.name, process[key]] as const),
      ["total", sum(found.map((process) => process[key]))] as const,
    ];
    return values.map(([contender, mb]) => ({
      case: kase,
      contender,
      condition: "",
      samples: [mb],
    }));
  });
}
