import type { Bench, BenchContext, Series } from "./bench.ts";
import { memoryMb } from "./hub-process.ts";
import { browserPids, rendererPids } from "./page-browser.ts";
import { startWatchedHub } from "./page-hub.ts";
import { openPlainBrowser, type PlainBrowser } from "./plain-browser.ts";
import { median, rowsOf } from "./statistics.ts";

const cameras = 8;
const usualMinutes = 30;
/** A browser that has just begun to paint takes more and more memory for some minutes, whatever it paints. */
const settlingMinutes = 5;
/** Heaps breathe: a minute's memory is the median of so many looks. */
const looks = 6;
const lookMs = 10_000;

interface Minute {
  /** MB, by what it is of. */
  memory: Map<string, number>;
  /** Pictures sent to the page; it asks for the next one but one when one is painted. */
  pictures: number;
}

/** The page open for half an hour: neither it nor the hub may grow. */
export const bench: Bench = {
  name: "page-long",
  title: "The page open for half an hour",
  usual: false,
  async run(context) {
    const minutes = Math.max(4, Math.round(usualMinutes * context.share));
    return { rows: rowsFor(await watchedFor(context, minutes)), absent: [] };
  },
};

async function watchedFor(context: BenchContext, count: number): Promise<Minute[]> {
  const { hub, hubPid, end } = await startWatchedHub(context, cameras);
  let browser: PlainBrowser | null = null;
  try {
    browser = await openPlainBrowser(hub.url, context.folder);
    await Bun.sleep(settlingMinutes * 60_000 * Math.min(1, context.share));
    const minutes: Minute[] = [];
    let sent = await picturesSent(hub.url);
    for (let minute = 0; minute < count; minute++) {
      const taken: Map<string, number>[] = [];
      for (let look = 0; look < looks; look++) {
        await Bun.sleep(lookMs);
        taken.push(
          new Map([
            ["the hub (PSS)", memoryMb(hubPid).pss],
            ["the browser with all its processes (PSS)", memoryOf(browserPids())],
            ["of it the processes that run pages (PSS)", memoryOf(rendererPids())],
            ["of that the page's JavaScript", await heapMb(browser)],
          ]),
        );
      }
      const before = sent;
      sent = await picturesSent(hub.url);
      // What is left after a collection can only grow by what somebody still holds.
      await browser.ask("HeapProfiler.collectGarbage");
      const held = await heapMb(browser);
      const memory = mediansOf(taken).set(
        "held by the page's JavaScript, after a collection",
        held,
      );
      minutes.push({ memory, pictures: sent - before });
      const all = [...memory.values()].map((mb) => mb.toFixed(1)).join(", ");
      context.say(`minute ${minute + 1} of ${count}: ${all} MB`);
    }
    return minutes;
  } finally {
    await browser?.close();
    await end();
  }
}

async function heapMb(browser: PlainBrowser): Promise<number> {
  const { usedSize = Number.NaN } = await browser.ask("Runtime.getHeapUsage");
  return usedSize / 1e6;
}

async function picturesSent(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(text.match(/^streamem_live_frames_sent_total (\d+)/m)?.[1]);
}

/** MB, proportional. */
function memoryOf(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      return sum + memoryMb(pid).pss;
    } catch {
      return sum; // it has just ended
    }
  }, 0);
}

function mediansOf(taken: Map<string, number>[]): Map<string, number> {
  const names = [...(taken[0] as Map<string, number>).keys()];
  return new Map(names.map((name) => [name, median(taken.map((one) => one.get(name) as number))]));
}

function rowsFor(minutes: Minute[]) {
  const names = [...(minutes[0] as Minute).memory.keys()];
  const memory = names.flatMap((name): Series[] => {
    const values = minutes.map((minute) => minute.memory.get(name) as number);
    const kase = "memory";
    return [
      { case: kase, contender: name, condition: "each minute's", samples: values },
      {
        case: kase,
        contender: name,
        condition: `slope, in ${minutes.length} minutes`,
        samples: [slope(values) * minutes.length],
      },
    ];
  });
  const pictures: Series = {
    case: "pictures sent to the page",
    contender: "all tiles",
    condition: "each minute's",
    samples: minutes.map(({ pictures }) => pictures / (looks * (lookMs / 1000))),
  };
  return [
    ...rowsOf("page-long", "MB", [memory], []),
    ...rowsOf("page-long", "1/s", [[pictures]], []),
  ];
}

/** Of the straight line with the least squares through values at 0, 1, 2, …; per step. */
function slope(values: number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [products, squares] = [0, 0];
  for (const [at, value] of values.entries()) {
    products += (at - middle) * (value - mean);
    squares += (at - middle) ** 2;
  }
  return products / squares;
}
