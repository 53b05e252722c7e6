import { join } from "node:path";
import { colorFormat } from "../sensors/ndi/libndi/structs.ts";
import { ndiFolder } from "../test/ndi-network.ts";
import { NdiRig } from "../test/ndi-sensor.ts";
import type { Bench, BenchContext, Comparison, Row, Series } from "./bench.ts";
import { watch } from "./ndi-watch.ts";
import { compileC, Program, takeTurns } from "./program.ts";
import { rowsOf } from "./statistics.ts";

const roundSeconds = 4;
const usualRounds = 8;
const watchSeconds = 20;
const settlingMs = 1500;

/** What receiving NDI costs beside what libndi itself takes, and whether every picture comes, in time. */
export const bench: Bench = {
  name: "ndi",
  title: "NDI into the ring",
  usual: false,
  async run(context) {
    if (ndiFolder === null) {
      const why = "there is no libndi, or no network of its own";
      return { rows: [], absent: [{ bench: "ndi", case: "all", contender: "all", why }] };
    }
    const rig = new NdiRig("bench");
    try {
      const rows = [
        ...(await costs(rig, context)),
        ...(await losses(rig, context, {
          size: "1920x1080",
          fps: 60,
          what: "1080p60",
          prompt: true,
        })),
        ...(await losses(rig, context, {
          size: "3840x2160",
          fps: 30,
          what: "2160p30",
          prompt: false,
        })),
      ];
      return { rows, absent: [] };
    } finally {
      await rig.close();
    }
  },
};

const kase = "CPU time of a 1080p60 picture";
const comparisons: Comparison[] = [
  {
    ...{ case: kase, contender: "the sensor, bgr24", against: "capture and free, BGRX" },
    goal: { most: 1.25 },
  },
  { case: kase, contender: "the sensor, uyvy422", against: "capture and free, UYVY" },
];

/** One sender; one program receives at a time. */
async function costs(rig: NdiRig, context: BenchContext): Promise<Row[]> {
  const sender = await rig.sender("Bench", "--size", "1920x1080", "--fps", "60");
  const network = await rig.network();
  const bare = compileC("ndi-bare", context);
  const sensor = [process.execPath, join(import.meta.dir, "ndi-program.ts")];
  const start = (name: string, ...words: string[]) =>
    Program.start(name, network.command(...words), {
      ...context.environment,
      NDI_RUNTIME_DIR_V6: ndiFolder as string,
    });
  const given = [sender.address, String(roundSeconds)];
  const programs = [
    await start("ndi-bare", bare, ...given, String(colorFormat.bgrxBgra)),
    await start("ndi", ...sensor, ...given, "bgr24"),
    await start("ndi-bare", bare, ...given, String(colorFormat.fastest)),
    await start("ndi", ...sensor, ...given, "uyvy422"),
  ];
  const rounds = await takeTurns(programs, usualRounds, context);
  for (const program of programs) await program.end();
  await rig.end();
  return rowsOf("ndi", "ns", rounds, comparisons);
}

interface Sent {
  size: string;
  fps: number;
  what: string;
  /** Whether its age has a goal: that is meant for 1080p. */
  prompt: boolean;
}

/** As the hub runs it, with the sender beside it and one reader. */
async function losses(rig: NdiRig, context: BenchContext, sent: Sent): Promise<Row[]> {
  const { size, fps, what, prompt } = sent;
  context.say(what);
  const sender = await rig.sender("Bench", "--size", size, "--fps", String(fps));
  const sensor = await rig.sensor({ address: sender.address });
  const reader = await sensor.reader();
  await Bun.sleep(settlingMs);
  const seconds = Math.max(4, watchSeconds * context.share);
  const { frames, missed, agesNs } = await watch(reader, seconds * 1000);
  await rig.end();
  const series = (condition: string, samples: number[]): Series => ({
    ...{ case: what, contender: condition, condition: "", samples },
  });
  const count = [series("published", [frames]), series("sent and not published", [missed])];
  const none: Comparison = {
    ...{ case: what, contender: "sent and not published", goal: { least: 0, most: 0 } },
  };
  const late: Comparison = { case: what, contender: age, ...(prompt && { goal: { most: 1e6 } }) };
  return [
    ...rowsOf("ndi", "frames", [count], [none]),
    ...rowsOf("ndi", "ns", [[series(age, agesNs)]], [late]),
  ];
}

const age = "from captured to published";
