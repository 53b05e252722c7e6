import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, BenchContext } from "./bench.ts";
import {
  type Headset,
  type HeadsetHub,
  startHeadset,
  startHeadsetHub,
  type Watch,
  watchRing,
} from "./hololens-hub.ts";
import { type Minute, type Run, rowsFor } from "./hololens-long-rows.ts";
import { cpuSeconds, memoryMb } from "./hub-process.ts";
import { median } from "./statistics.ts";

const usualMinutes = 10;
const minuteMs = 60_000;
/** Before the first minute: the simulator renders and encodes what it then replays. */
const settlingSeconds = 75;
/** The simulator has fallen silent: what is under way arrives, and is counted. Reconnecting begins later. */
const drainMs = 3000;
const lastSeconds = 30;

/** So often memory is looked at: heaps breathe, a single look says little. */
const looks = 6;

/** All streams of the example for as long as people use a headset: nothing may grow, nothing be lost unseen. */
export const bench: Bench = {
  name: "hololens-long",
  title: "A whole headset for ten minutes",
  usual: false,
  async run(context) {
    const minutes = Math.max(3, Math.round(usualMinutes * context.share));
    const silentAt = settlingSeconds + minutes * 60 + lastSeconds;
    const begunMs = performance.now();
    const headset = await startHeadset(context, ["--fault", `all:stall:600@${silentAt}`]);
    const run: Partial<Run> = {};
    try {
      const hub = await startHeadsetHub(context, headset, example());
      try {
        Object.assign(run, await measured(context, { headset, hub, minutes, begunMs }));
        await Bun.sleep(begunMs + 1000 * silentAt + drainMs - performance.now());
        run.counted = await countedBy(hub);
        run.published = await publishedBy(hub);
      } finally {
        await hub.end();
      }
    } finally {
      await headset.end();
    }
    run.sent = sentBy(await headset.log());
    return { rows: rowsFor(run as Run), absent: [] };
  },
};

/** Keys of the sensor, without those that say where it is. */
function example(): object {
  const file = join(import.meta.dir, "..", "examples", "hololens-simulated.yaml");
  const { sensors } = Bun.YAML.parse(readFileSync(file, "utf8")) as { sensors: object[] };
  const { kind, name, host, ...keys } = sensors[0] as Record<string, unknown>;
  return keys;
}

interface Measuring {
  headset: Headset;
  hub: HeadsetHub;
  minutes: number;
  begunMs: number;
}

async function measured(
  context: BenchContext,
  { headset, hub, minutes: count, begunMs }: Measuring,
): Promise<Pick<Run, "minutes" | "cpuPercent">> {
  await Bun.sleep(begunMs + settlingSeconds * 1000 - performance.now());
  const pids = await pidsOf(headset, hub);
  const rings = await ringsOf(hub);
  const watches = new Map<string, Watch>();
  for (const ring of rings) watches.set(ring, await watchRing(context.prefix, ring));
  const used = () => new Map([...pids].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const before = used();
  const startMs = performance.now();
  const minutes: Minute[] = [];
  for (let minute = 0; minute < count; minute++) {
    const taken: (readonly [string, number])[][] = [];
    for (let look = 1; look <= looks; look++) {
      await Bun.sleep(startMs + (minute + look / looks) * minuteMs - performance.now());
      taken.push([...pids].map(([name, pid]) => [name, memoryMb(pid).pss] as const));
    }
    const seen = new Map([...watches].map(([ring, watch]) => [ring, watch.take()]));
    minutes.push({ seen, memoryMb: mediansOf(taken.map(withTotal)) });
    context.say(`minute ${minute + 1} of ${count}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const shares = [...used()].map(
    ([name, end]) => [name, (100 * (end - (before.get(name) ?? 0))) / seconds] as const,
  );
  for (const watch of watches.values()) watch.close();
  return { minutes, cpuPercent: withTotal(shares) };
}

function withTotal(values: (readonly [string, number])[]): Map<string, number> {
  const total = values.reduce((sum, [, value]) => sum + value, 0);
  return new Map([...values, ["total", total]]);
}

function mediansOf(taken: Map<string, number>[]): Map<string, number> {
  const names = [...(taken[0] as Map<string, number>).keys()];
  const at = (name: string) => median(taken.map((one) => one.get(name) as number));
  return new Map(names.map((name) => [name, at(name)]));
}

async function pidsOf(headset: Headset, hub: HeadsetHub): Promise<Map<string, number>> {
  const parts = [...(await hub.parts())].map(([name, { pid }]) => [name, pid] as const);
  return new Map([["the simulator", headset.pid], ["the hub", hub.hubPid], ...parts]);
}

async function streamsOf({ url }: HeadsetHub) {
  const answer = await fetch(`${url}/api/v1/streams`);
  type Told = { name: string; counters: { frames: string } };
  return ((await answer.json()) as { streams: Told[] }).streams;
}

const ringsOf = async (hub: HeadsetHub) => (await streamsOf(hub)).map(({ name }) => name);

async function publishedBy(hub: HeadsetHub): Promise<Map<string, number>> {
  const streams = await streamsOf(hub);
  return new Map(streams.map(({ name, counters }) => [name, Number(counters.frames)]));
}

async function countedBy(hub: HeadsetHub): Promise<Run["counted"]> {
  const parts = [...(await hub.parts())];
  return new Map(parts.map(([name, { counters }]) => [name, counters]));
}

/** A line for each connection. */
function sentBy(log: string[]): Run["sent"] {
  const sent: Run["sent"] = new Map();
  for (const line of log) {
    const [, stream, packets, all] = /([a-z-]+): sent (\d+) of (\d+) frames/.exec(line) ?? [];
    if (stream === undefined) continue;
    const before = sent.get(stream) ?? { sent: 0, frames: 0 };
    sent.set(stream, {
      sent: before.sent + Number(packets),
      frames: before.frames + Number(all),
    });
  }
  return sent;
}
