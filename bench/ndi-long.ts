import { NdiRig } from "../test/ndi-sensor.ts";
import type { Bench, Row, Series, Unit } from "./bench.ts";
import { memoryMb } from "./hub-process.ts";
import { watch } from "./ndi-watch.ts";
import { median, rowsOf } from "./statistics.ts";

const usualMinutes = 30;
const minuteMs = 60_000;
/** Before the first minute: heaps find their size. */
const settlingMs = 60_000;
/** So often memory is looked at in a minute. */
const looks = 6;

/** A camera for as long as people work: nothing may grow, nothing be lost. */
export const bench: Bench = {
  name: "ndi-long",
  title: "1080p30 by NDI for half an hour",
  usual: false,
  async run(context) {
    const minutes = Math.max(2, Math.round(usualMinutes * context.share));
    const rig = new NdiRig("bench-long");
    try {
      const sender = await rig.sender("Bench", "--size", "1920x1080", "--fps", "30");
      const sensor = await rig.sensor({ address: sender.address });
      const reader = await sensor.reader();
      await Bun.sleep(settlingMs);
      const pid = sensor.status?.pid as number;
      const taken: Minute[] = [];
      for (let minute = 1; minute <= minutes; minute++) {
        taken.push(await oneMinute(pid, () => watch(reader, minuteMs / looks)));
        context.say(`minute ${minute} of ${minutes}`);
      }
      if (sensor.status?.pid !== pid) throw new Error("the sensor's process was started anew");
      return { rows: rowsFor(taken, sensor.status.counters.dropped ?? 0), absent: [] };
    } finally {
      await rig.close();
    }
  },
};

interface Minute {
  frames: number;
  missed: number;
  agesNs: number[];
  memoryMb: number;
}

async function oneMinute(pid: number, look: () => ReturnType<typeof watch>): Promise<Minute> {
  const minute: Minute = { frames: 0, missed: 0, agesNs: [], memoryMb: 0 };
  const memory: number[] = [];
  for (let n = 0; n < looks; n++) {
    const { frames, missed, agesNs } = await look();
    minute.frames += frames;
    minute.missed += missed;
    minute.agesNs.push(...agesNs);
    memory.push(memoryMb(pid).rss);
  }
  minute.memoryMb = median(memory);
  return minute;
}

function rowsFor(minutes: Minute[], dropped: number): Row[] {
  const [first, last] = [minutes[0] as Minute, minutes.at(-1) as Minute];
  const sum = (of: (minute: Minute) => number) => minutes.reduce((all, one) => all + of(one), 0);
  const whole = `${minutes.length} minutes`;
  const rows = (unit: Unit, what: string, values: [condition: string, samples: number[]][]) => {
    const series: Series[] = values.map(([condition, samples]) => ({
      ...{ case: what, contender: "the sensor", condition, samples },
    }));
    return { unit, what, series };
  };
  const none = { least: 0, most: 0 };
  const groups = [
    { ...rows("frames", "published", [[whole, [sum(({ frames }) => frames)]]]), goal: undefined },
    {
      ...rows("frames", "sent and not published", [[whole, [sum(({ missed }) => missed)]]]),
      goal: none,
    },
    { ...rows("frames", "dropped by libndi", [[whole, [dropped]]]), goal: none },
    {
      ...rows("ns", "from captured to published", [
        ["first minute", first.agesNs],
        ["last minute", last.agesNs],
      ]),
      goal: { most: 1e6 },
    },
    {
      ...rows("MB", "resident memory", [
        ["first minute", [first.memoryMb]],
        ["last minute", [last.memoryMb]],
      ]),
      goal: undefined,
    },
    {
      ...rows("MB", "resident memory, grown", [[whole, [last.memoryMb - first.memoryMb]]]),
      goal: { most: 2 },
    },
  ];
  return groups.flatMap(({ unit, what, series, goal }) =>
    rowsOf("ndi-long", unit, [series], goal ? [{ case: what, contender: "the sensor", goal }] : []),
  );
}
