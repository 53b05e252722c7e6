import { bundlePage } from "../src/api/page.ts";
import { openReader, type RingReader } from "../src/ring.ts";
import type { Bench, BenchContext, Row, Series, Unit } from "./bench.ts";
import { cpuSeconds } from "./hub-process.ts";
import { browserPids, openBrowser, openPage, type Painted, takePainted } from "./page-browser.ts";
import { startWatchedHub, type WatchedHub } from "./page-hub.ts";
import { quantile, rowsOf } from "./statistics.ts";

const cameras = 8;
const settleMs = 4000;
const windowMs = 5000;
const windows = 12;
const loads = 5;

/** What a browser beside the hub sees of eight cameras, how late, and what that costs; and what it costs when nobody looks. */
export const bench: Bench = {
  name: "page",
  title: "The page: eight cameras of 720p30 on one wall",
  usual: false,
  async run(context) {
    const watched = await startWatchedHub(context, cameras);
    const measured: Measured = { cpu: [], rates: [], late: [], seconds: [] };
    try {
      await Bun.sleep(settleMs);
      const count = Math.max(2, Math.round(windows * context.share));
      await nobodyLooks(context, watched, {
        measured,
        count,
        contender: "before the page was opened",
      });
      await somebodyLooks(context, watched, { measured, count });
      await Bun.sleep(settleMs);
      await nobodyLooks(context, watched, { measured, count, contender: "after it was closed" });
    } finally {
      await watched.end();
    }
    return { rows: await rows(measured), absent: [] };
  },
};

interface Measured {
  cpu: Series[][];
  rates: Series[][];
  late: Series[][];
  seconds: Series[][];
}

interface Measuring {
  measured: Measured;
  count: number;
}

const cpuCase = "CPU time, share of one core";

async function nobodyLooks(
  context: BenchContext,
  { hubPid }: WatchedHub,
  { measured, count, contender }: Measuring & { contender: string },
): Promise<void> {
  for (let window = 0; window < count; window++) {
    const used = await cpuOf(new Map([["hub", [hubPid]]]), () => Bun.sleep(windowMs));
    measured.cpu.push([series(cpuCase, "hub", contender, [used.get("hub") as number])]);
    context.say(`${contender}, window ${window + 1} of ${count}`);
  }
}

async function somebodyLooks(
  context: BenchContext,
  { hub, hubPid, picturesPid }: WatchedHub,
  { measured, count }: Measuring,
): Promise<void> {
  const browser = await openBrowser();
  try {
    for (let load = 0; load < loads; load++) {
      const page = await openPage(browser);
      measured.seconds.push(await loadTimes(page, hub.url, load === 0 ? "first" : "again"));
      await page.close();
    }
    const page = await openPage(browser);
    await page.goto(hub.url);
    await Bun.sleep(settleMs);
    await takePainted(page);
    const names = Array.from({ length: cameras }, (_, at) => `camera-${at + 1}`);
    const readers = new Map<string, RingReader>();
    for (const name of names) readers.set(name, await openReader(name, { prefix: context.prefix }));
    const times = publishTimes(readers);
    const pids = new Map([
      ["hub", [hubPid]],
      ["browser", browserPids()],
      ["publishing", [picturesPid]],
    ]);
    for (let window = 0; window < count; window++) {
      const startMs = performance.now();
      const used = await cpuOf(pids, () => Bun.sleep(windowMs));
      const painted = await takePainted(page);
      const seconds = (performance.now() - startMs) / 1000;
      measured.cpu.push(
        [...used].map(([name, share]) => series(cpuCase, name, "eight tiles", [share])),
      );
      measured.rates.push(ratesOf(painted, names, seconds));
      measured.late.push(lateness(painted, times));
      context.say(`eight tiles, window ${window + 1} of ${count}`);
    }
    times.stop();
    for (const reader of readers.values()) reader.close();
  } finally {
    await browser.close();
  }
}

/** Seconds from asking for the page until it can be used, and until a picture is seen. */
async function loadTimes(
  page: Awaited<ReturnType<typeof openPage>>,
  url: string,
  condition: string,
): Promise<Series[]> {
  await page.goto(url, { waitUntil: "commit" });
  const usable = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          const ready = document.querySelector(".tile button") !== null;
          if (ready) setTimeout(() => resolve(performance.now()));
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  const seen = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () =>
          globalThis.painted.length > 0 ? resolve(performance.now()) : requestAnimationFrame(look);
        look();
      }),
  );
  return [
    series("from asking for the page", "until it can be used", condition, [usable / 1000]),
    series("from asking for the page", "until a picture moves", condition, [seen / 1000]),
  ];
}

/** When each frame was published, by its own ring. */
function publishTimes(readers: Map<string, RingReader>) {
  const times = new Map<string, number>();
  const look = () => {
    for (const [name, reader] of readers) {
      for (const frame of reader.last(4)) {
        times.set(`${name} ${frame.seq}`, Number(frame.publishTimeNs) / 1e6);
      }
    }
  };
  const timer = setInterval(look, 60);
  return {
    of: ({ stream, sequence }: Painted) => times.get(`${stream} ${sequence}`),
    stop: () => clearInterval(timer),
  };
}

function ratesOf(painted: Painted[], names: string[], seconds: number): Series[] {
  const rates = names.map(
    (name) => painted.filter(({ stream }) => stream === name).length / seconds,
  );
  const kase = "pictures painted, of 30 published";
  return [
    series(kase, "a tile", "", rates),
    series(kase, "the slowest tile of each window", "", [Math.min(...rates)]),
  ];
}

function lateness(painted: Painted[], times: { of(one: Painted): number | undefined }): Series[] {
  const late = painted
    .flatMap((one) => {
      const publishedMs = times.of(one);
      return publishedMs === undefined ? [] : [(one.atMs - publishedMs) * 1e6];
    })
    .sort((one, other) => one - other);
  const kase = "from published to pixels";
  return [
    series(kase, "each picture", "", late),
    series(kase, "95 of 100 in each window", "", [quantile(late, 0.95)]),
  ];
}

/** Percent of a core, by name. */
async function cpuOf(
  pids: Map<string, number[]>,
  wait: () => Promise<void>,
): Promise<Map<string, number>> {
  const used = () =>
    new Map([...pids].map(([name, all]) => [name, all.reduce((sum, pid) => sum + spent(pid), 0)]));
  const before = used();
  const startMs = performance.now();
  await wait();
  const seconds = (performance.now() - startMs) / 1000;
  return new Map(
    [...used()].map(([name, end]) => [
      name,
      ((end - (before.get(name) as number)) / seconds) * 100,
    ]),
  );
}

/** A helper of the browser may have ended. */
function spent(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    return 0;
  }
}

function series(kase: string, contender: string, condition: string, samples: number[]): Series {
  return { case: kase, contender, condition, samples };
}

async function rows({ cpu, rates, late, seconds }: Measured): Promise<Row[]> {
  const of = (unit: Unit, rounds: Series[][], goals: Parameters<typeof rowsOf>[3] = []) =>
    rowsOf("page", unit, rounds, goals);
  const files = await bundlePage();
  const bytes = [...files.values()].reduce((sum, { gzip }) => sum + gzip.length, 0);
  const painted = "pictures painted, of 30 published";
  const slow = { least: 25, most: 31 };
  return [
    ...of("1/s", rates, [{ case: painted, contender: "a tile", goal: slow }]),
    ...of("ns", late, [
      {
        case: "from published to pixels",
        contender: "95 of 100 in each window",
        goal: { most: 100e6 },
      },
    ]),
    ...of("%", cpu, [
      {
        case: cpuCase,
        contender: "hub",
        condition: "after it was closed",
        againstCondition: "before the page was opened",
        goal: { most: 1.1 },
      },
    ]),
    ...of("s", seconds, [
      { case: "from asking for the page", contender: "until it can be used", goal: { most: 1 } },
      { case: "from asking for the page", contender: "until a picture moves", goal: { most: 5 } },
    ]),
    ...of(
      "B",
      [[series("all files of the page", "gzip", "", [bytes])]],
      [{ case: "all files of the page", contender: "gzip", goal: { most: 120_000 } }],
    ),
  ];
}
