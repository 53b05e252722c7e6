import { join } from "node:path";
import { SmallJpegs } from "../src/pictures/jpeg.ts";
import { pictureLayout } from "../src/pictures/pictures.ts";
import { Shrinker } from "../src/pictures/shrink.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { openSegment } from "../src/ring/segment.ts";
import { openReader } from "../src/ring.ts";
import type { Bench, BenchContext, Row, Series } from "./bench.ts";
import { cpuNs, type StartedHub, startHub } from "./hub-process.ts";
import { Program } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const root = join(import.meta.dir, "..");
const streams = 8;
const windows = 6;
const previews = 200;
/** Of the film, held in memory by the producer. */
const pictures = 32;
const viewers = [0, streams, 3 * streams];
const [cpu, fps, sent] = [
  "CPU time of the hub, share of one core",
  "frames/s of a viewer",
  "published to sent",
];
const one = "one preview of 720p";

/** A wall of eight streams of 720p30, looked at through the hub: what a preview costs, how many come, how late, at whose cost. */
export const bench: Bench = {
  name: "live",
  title: "The live view",
  usual: false,
  async run(context) {
    const film = join(root, "test/data/bbb-720p.mp4");
    const config = join(context.folder, "live.yaml");
    const sensor = { kind: "video", name: "film", url: film, loop: true };
    await Bun.write(config, JSON.stringify({ sensors: [sensor] }));
    const command = [process.execPath, join(root, "src/main.ts"), "hub", "--json", "--port", "0"];
    const hub = await startHub(
      [...command, "--config", config],
      context.folder,
      context.environment,
    );
    try {
      const path = await picturesOf(hub, context);
      return { rows: await measured(hub, path, context), absent: [] };
    } finally {
      await hub.end();
    }
  },
};

/** Decoded once, so that decoders do not take the processors from what is measured. */
async function picturesOf({ url }: StartedHub, { prefix, folder }: BenchContext): Promise<string> {
  using reader = await openReader("film", { prefix, timeoutMs: 20_000 });
  const path = join(folder, "pictures.raw");
  const file = Bun.file(path).writer();
  for (let n = 0; n < pictures; n++) {
    const frame = await reader.next();
    if (frame) file.write(frame.copy());
    await file.flush();
  }
  await file.end();
  const headers = { "Content-Type": "application/json" };
  await fetch(`${url}/api/v1/sensors/film/stop`, { method: "POST", headers });
  return path;
}

async function measured(hub: StartedHub, path: string, context: BenchContext): Promise<Row[]> {
  const program = join(import.meta.dir, "live-producer.ts");
  const producer = Bun.spawn([process.execPath, program, path, String(streams)], {
    env: { ...process.env, ...context.environment },
    stdout: "pipe",
  });
  await producer.stdout.getReader().read();
  try {
    const costs = await previewCosts(context);
    const rounds = await walls(hub, context);
    const only = (name: string) =>
      rounds.map((round) => round.filter((series) => series.case === name));
    const goals = viewers.slice(1).map((count) => ({
      case: fps,
      contender: `${count} viewers`,
      goal: { least: 25, most: 60 },
    }));
    return [
      ...rowsOf("live", "ns", costs, []),
      ...rowsOf("live", "1/s", only(fps), goals),
      ...rowsOf("live", "ns", only(sent), []),
      ...rowsOf("live", "%", only(cpu), []),
    ];
  } finally {
    producer.kill("SIGTERM");
    await producer.exited;
  }
}

async function previewCosts({ prefix, share }: BenchContext): Promise<Series[][]> {
  const segment = openSegment(`/dev/shm/${prefix}.tile-1`);
  const [shrinker, jpegs] = [new Shrinker(), new SmallJpegs()];
  const taken: Record<string, number[]> = {};
  const timed = async <Result>(contender: string, work: () => Result | Promise<Result>) => {
    const start = monotonicNs();
    const result = await work();
    const ns = Number(monotonicNs() - start);
    taken[contender] = [...(taken[contender] ?? []), ns];
    return result;
  };
  for (let n = 0; n < Math.max(20, previews * share); n++) {
    await Bun.sleep(10);
    const head = segment.head();
    if (!head) continue; // before the first picture
    await timed("the whole frame read and checked", () => segment.frame(head.seq));
    const layout = pictureLayout(segment.descriptor, head);
    const place = { fd: segment.fd, offset: segment.payloadOffset(head.seq) };
    const small = await timed("shrunk to 640 from the ring", () =>
      shrinker.shrink(layout, place, 2),
    );
    await timed("encoded as JPEG", () => jpegs.encode(small));
  }
  segment.close();
  const series = Object.entries(taken).map(([contender, samples]) => ({
    case: one,
    contender,
    condition: "",
    samples,
  }));
  return [series];
}

async function walls(hub: StartedHub, context: BenchContext): Promise<Series[][]> {
  const rounds: Series[][] = [];
  const pid = hub.pids.get("hub") as number;
  for (const count of viewers) {
    const command = [
      process.execPath,
      join(import.meta.dir, "live-viewers.ts"),
      hub.url,
      String(count),
    ];
    const program = await Program.start("live-viewers", command, context.environment);
    await program.round(); // connections and caches are warm after it
    for (let window = 0; window < Math.max(2, windows * context.share); window++) {
      const [beforeNs, start] = [cpuNs(pid), performance.now()];
      const series = await program.round();
      const share = ((cpuNs(pid) - beforeNs) / ((performance.now() - start) * 1e6)) * 100;
      const seen = series.filter(({ samples }) => samples.length > 0);
      const contender = count === 0 ? "nobody looks" : `${count} viewers`;
      rounds.push([...seen, { case: cpu, contender, condition: "", samples: [share] }]);
      context.say(`${count} viewers: window ${window + 1} of ${windows}`);
    }
    await program.end();
  }
  return rounds;
}
