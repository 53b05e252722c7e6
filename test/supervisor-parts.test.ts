/**
 * A sensor of several real processes (fixtures/team.ts). To see these fail: in src/supervisor/sensor-life.ts
 * sweep whenever one part rests or leave the loop over `tell` out; in sensor-context.ts forget what came
 * before `heard`; in parts-status.ts let `device` alone count as running.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { openReader } from "../src/ring.ts";
import { sweepStreams } from "../src/streams/sweep.ts";
import { sumOf } from "../src/supervisor/parts-status.ts";
import type { PartStatus, SensorStatus } from "../src/supervisor/sensor-status.ts";
import { createSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";
import { TestRings, until } from "./rings.ts";

const kindsModule = new URL("./fixtures/team.ts", import.meta.url).pathname;
let rings: TestRings;
let supervisor: Supervisor;

beforeEach(() => {
  rings = new TestRings("parts");
});

afterEach(async () => {
  await supervisor.close();
  await rings.close();
});

async function start(parts: string[], swept: (names: string[]) => void = () => {}): Promise<void> {
  const { prefix, directory } = rings;
  const config = { kind: "team", name: "s" };
  const streams = [{ name: "s.one", spec: {} }];
  supervisor = createSupervisor({
    sensors: [{ name: "s", kind: "team", config, streams, parts }],
    prefix,
    group: null,
    directory,
    kindsModule,
    timing: { aliveMs: 50, silentBeatsMax: 1e6, graceMs: 200 }, // seven processes at once may start slowly
    sweep: (names) => {
      swept(names);
      sweepStreams(prefix, names, directory);
    },
  });
  await supervisor.start("s");
}

const status = () => supervisor.get("s") as SensorStatus;
const part = (name: string) => status().parts.find((one) => one.name === name) as PartStatus;
const runs = (...names: string[]) =>
  until(() => names.every((name) => part(name).state === "running"));

async function killed(name: string): Promise<void> {
  const { pid, restarts } = part(name);
  process.kill(pid as number, "SIGKILL");
  await until(() => part(name).restarts > restarts && part(name).state === "running");
}

describe("processes of one sensor", () => {
  test("run each for itself and are stopped together; nothing is left", async () => {
    await start(["device", "one", "two"]);
    await runs("device", "one", "two");
    await until(() => status().clock);
    expect(status()).toMatchObject({
      state: "running",
      words: null,
      pid: part("device").pid,
      streams: ["s.one", "s.two"],
      clock: { offsetNs: 5n, epoch: 3 },
    });
    const pids = status().parts.map(({ pid }) => pid as number);
    expect(new Set(pids).size).toBe(3);
    const commands = pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
    expect(commands.map((words) => words.slice(2, 4))).toEqual([
      ["s", "device"],
      ["s", "one"],
      ["s", "two"],
    ]);
    const stopped = await supervisor.stop("s");
    expect(stopped).toMatchObject({ state: "stopped", pid: null, restarts: 0 });
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect([rings.exists("s.one"), rings.exists("s.two")]).toEqual([false, false]);
  });

  test("that are killed start again, and the others' rings go on", async () => {
    const swept: string[] = [];
    await start(["device", "one", "two"], (names) => swept.push(...names));
    await runs("one", "two");
    const reader = await openReader("s.two", { prefix: rings.prefix });
    const before = await reader.next();
    await killed("one");
    const after = await until(() => reader.next());
    expect(after.generation).toBe(before?.generation as string);
    expect(part("two")).toMatchObject({ restarts: 0, lastError: null, streams: ["s.two"] });
    expect(status()).toMatchObject({ state: "running", restarts: 1 });
    expect(status().lastError?.words).toContain("SIGKILL");
    expect(swept).toEqual([]);
    reader.close();
  });

  test("tell each other, also those that were started again", async () => {
    await start(["device", "one", "two"]);
    await until(() => part("one").counters.greeted === 1 && part("two").counters.greeted === 1);
    await killed("one");
    await until(() => part("one").counters.greeted === 2);
    // Nobody greets a device that was started again; it hears the next one that comes.
    await killed("device");
    await killed("two");
    await until(() => Bun.deepEquals(part("device").counters, { two: 1 }));
    await until(() => part("two").counters.greeted === 1);
  });

  test("a kill or a part that fails sweeps nothing, the end of all sweeps all", async () => {
    const swept: string[][] = [];
    await start(["one", "two", "refused"], (names) => swept.push(names));
    await runs("one", "two");
    await until(() => part("refused").state === "failed");
    await killed("two");
    expect(swept.flat()).toEqual([]);
    expect(rings.exists("s.one")).toBe(true);
    await supervisor.stop("s");
    expect(swept.at(-1)?.sort()).toEqual(["s.one", "s.two"]);
  });

  test("one that fails for good leaves the sensor running, which says so", async () => {
    await start(["device", "one", "refused"]);
    await runs("device", "one");
    await until(() => part("refused").state === "failed");
    expect(status()).toMatchObject({
      state: "running",
      words: "refused: failed, the port is closed",
      restarts: 0,
    });
    await supervisor.start("s");
    await until(() => part("refused").state === "failed");
    await supervisor.restart("s");
    await runs("one");
  });

  test("same words are said once", async () => {
    await start(["device", "one", "away-1", "away-2", "away-3", "refused-1", "refused-2"]);
    const words =
      "away-1, away-2 and 1 more: connecting, nobody answers. " +
      "refused-1 and refused-2: failed, the port is closed";
    await until(() => status().words === words && status().state === "running");
  });

  test("the device alone is no running sensor", async () => {
    await start(["device", "away"]);
    await runs("device");
    await until(() => part("away").state === "connecting");
    expect(status()).toMatchObject({
      state: "connecting",
      words: "away: connecting, nobody answers",
    });
  });

  test("all of them failed or at their end are a sensor that is", async () => {
    await start(["refused-1", "refused-2"]);
    await until(() => status().state === "failed");
    expect(status().words).toBe("refused-1 and refused-2: failed, the port is closed");
    await supervisor.close();
    await start(["ends"]);
    await until(() => status().state === "ended");
  });
});

const resting: PartStatus = {
  name: "a",
  state: "stopped",
  words: null,
  pid: null,
  restarts: 0,
  streams: [],
  lastError: null,
  counters: {},
};

describe("what parts come to", () => {
  const sum = (...parts: Partial<PartStatus>[]) =>
    sumOf(parts.map((one, at) => ({ ...resting, name: `p${at}`, ...one })));
  const running = { state: "running", streams: ["s"] } as const;

  test("one part speaks for the whole", () => {
    expect(sum({ state: "waiting", words: "for rain", pid: 3 })).toMatchObject({
      state: "waiting",
      words: "for rain",
      pid: 3,
    });
  });

  test.each([
    ["running", [running, { state: "restarting" }]],
    ["stopping", [running, { state: "stopping" }]],
    ["connecting", [{ state: "starting" }, { state: "restarting" }, { state: "connecting" }]],
    ["restarting", [{ state: "starting" }, { state: "restarting" }, { state: "waiting" }]],
    ["starting", [{ state: "running" }, { state: "starting" }]],
    ["waiting", [{ state: "running" }, { state: "failed" }]],
    ["ended", [{ state: "ended" }, { state: "failed" }]],
    ["stopped", [{ state: "stopped" }, { state: "failed" }]],
    ["failed", [{ state: "failed" }, { state: "failed" }]],
  ] as [string, Partial<PartStatus>[]][])("%s", (state, parts) => {
    expect(sum(...parts).state).toBe(state as SensorStatus["state"]);
  });

  test("sums, and the newest error", () => {
    const error = (at: string) => ({ words: at, count: 1, at });
    const parts: Partial<PartStatus>[] = [
      { pid: 1, restarts: 1, counters: { dropped: 2 }, lastError: error("2030") },
      { pid: 2, restarts: 2, counters: { dropped: 3, late: 1 }, lastError: error("2020") },
    ];
    expect(sum(...parts)).toMatchObject({
      pid: 1,
      restarts: 3,
      counters: { dropped: 5, late: 1 },
      lastError: { words: "2030" },
    });
  });
});
