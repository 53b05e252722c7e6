/**
 * The device part: the headset's clock for all streams, over restarts of the part and of the headset; old
 * servers; device lists; and the whole sensor as the hub runs it.
 *
 * To see it fail: let `begunAnew` of client/device-link.ts be false.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { versionWarning } from "../sensors/hololens/client/version.ts";
import { type Simulator, startSimulator } from "../sensors/hololens/simulator/server.ts";
import type { StreamName } from "../sensors/hololens/wire/ports.ts";
import { SensorError } from "../sensors/sensor.ts";
import { parseConfig } from "../src/config/config.ts";
import { openReader, type RingReader } from "../src/ring.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import { createSupervisor } from "../src/supervisor/supervisor.ts";
import { type Part, TestHeadset, useOwnCache } from "./hololens-client.ts";
import { until } from "./rings.ts";

useOwnCache();
const ports = 20_900;
let headset: TestHeadset | null = null;
let simulator: Simulator | null = null;

afterEach(async () => {
  await headset?.close();
  await simulator?.close();
  headset = null;
  simulator = null;
});

async function start(streams: StreamName[], options: object = {}) {
  simulator = await startSimulator({
    ports,
    streams: [...streams, "remote-configuration"],
    ...options,
  });
  headset = new TestHeadset("device", { ports, streams });
  return { simulator, headset };
}

const running = (part: Part) => until(() => part.states.at(-1)?.state === "running");

async function readerOf(stream: string, { rings }: TestHeadset): Promise<RingReader> {
  const { prefix } = rings;
  return await until(() => openReader(`hl.${stream}`, { prefix }).catch(() => null));
}

describe("the headset's clock", () => {
  test("stamps frames within their bound, and the device's own ticks stay", async () => {
    const { simulator, headset } = await start(["eye-tracker"], { clock: { driftPpm: 30 } });
    headset.device();
    const part = headset.stream("eye-tracker");
    await running(part);
    const reader = await readerOf("eye-tracker", headset);
    const frame = await until(() => {
      const newest = reader.latest();
      return newest && newest.timeErrorNs !== null ? newest : null;
    });
    const shown = simulator.device.clock.at(frame.captureTimeNs as bigint);
    const errorNs = 100 * Math.abs(Number(shown - (frame.deviceTime as bigint)));
    expect(errorNs).toBeLessThanOrEqual(Number(frame.timeErrorNs));
    // The same where the clock is known no better than that.
    expect(frame.fields.arrival_time_ns as bigint).toBeGreaterThanOrEqual(
      frame.captureTimeNs as bigint,
    );
    reader.close();
  });

  test("a device part that is started anew goes on in a later epoch, for all streams alike", async () => {
    const { headset } = await start(["eye-tracker", "accelerometer"]);
    const first = headset.device();
    const parts = [headset.stream("eye-tracker"), headset.stream("accelerometer")];
    await Promise.all(parts.map(running));
    const readers = await Promise.all(parts.map(({ name }) => readerOf(name, headset)));
    const epochs = () => readers.map((reader) => reader.latest()?.clockEpoch);
    await until(() => readers.every((reader) => reader.latest()?.captureTimeNs != null));
    expect(epochs()).toEqual([0, 0]);

    await first.stop();
    const second = headset.device();
    await until(() => epochs().every((epoch) => epoch === 1));
    await until(() => second.clocks.at(-1)?.epoch === 1);
    await second.stop();
    headset.device();
    await until(() => epochs().every((epoch) => epoch === 2));
    for (const reader of readers) reader.close();
  });

  test("an app without a clock to ask for: times from arrivals, and that is said", async () => {
    const { headset } = await start(["accelerometer"], {
      faults: [{ port: "all", kind: "version", value: "1.0.35" }],
    });
    const device = headset.device({}); // a busy machine may take its time to answer
    await until(() => device.log.some((line) => line.startsWith("hl2ss 1.0.35.0 runs")));
    const part = headset.stream("accelerometer");
    await running(part);
    const reader = await readerOf("accelerometer", headset);
    const frame = await until(() => reader.latest());
    expect(reader.descriptor.clock?.method).toBe("one-way");
    expect(frame.captureTimeNs).not.toBeNull();
    expect(frame.timeErrorNs).toBeNull();
    await until(() => part.clocks.at(-1)?.method === "one-way");
    expect(device.states.at(-1)?.state).toBe("running"); // never asked for what it does not know
    reader.close();
  });

  const resets = [
    ["all connections end", ["accelerometer", "remote-configuration"]],
    ["the stream comes back first, or was never lost", []],
  ] as const;
  test.each(resets)("a headset that turns out to have none, %s: begun anew", async (_, ports) => {
    const { simulator, headset } = await start(["accelerometer"]);
    const device = headset.device();
    const part = headset.stream("accelerometer");
    await running(part);
    simulator.fault({ port: "all", kind: "version", value: "1.0.35" });
    for (const port of ports) simulator.fault({ port, kind: "reset" });
    await part.ended;
    expect(part.failure).toBeInstanceOf(SensorError);
    expect((part.failure as SensorError).retry).toBe(true);
    expect(String(part.failure)).toContain("hl2ss 1.0.35.0 answers no question for its clock");
    await running(device);
  });
});

test.each([
  [[1, 0, 33, 0], "older than 1.0.34"],
  [[0, 9, 99, 0], "older than 1.0.34"],
  [[1, 0, 36, 2], "1.0.37 is what this was written for"],
  [[1, 1, 0, 0], "1.0.37 is what this was written for"],
])("version %p: %s", (version, words) => {
  expect(versionWarning(version)).toContain(words);
});
test("version 1.0.37, any revision: no word", () => {
  expect(versionWarning([1, 0, 37, 5])).toBeNull();
});

test("the device lists of extended video and audio are shown once", async () => {
  const { headset } = await start(["extended-video", "extended-audio"]);
  headset.device();
  const video = headset.stream("extended-video", {});
  const audio = headset.stream("extended-audio", {});
  await Promise.all([running(video), running(audio)]);
  const lists = (part: Part) => part.log.filter((line) => line.startsWith("the headset lists for"));
  expect(lists(video)).toHaveLength(1);
  expect(lists(video)[0]).toMatch(/group 0, source 0, cameraProfile 0 \(.*\): \d+x\d+ at \d+ NV12/);
  expect(lists(audio)[0]).toContain("device 0: ");
});

test("as the hub runs it: a process for each stream, controls, and nothing left behind", async () => {
  const { simulator } = await start(["accelerometer", "depth-ahat", "depth-longthrow"]);
  const prefix = `t${process.pid}-hub`;
  const directory = mkdtempSync(join(tmpdir(), "streamem-test-"));
  const keys = `host: 127.0.0.1, ports: ${ports}, streams: [accelerometer, depth-ahat, depth-longthrow]`;
  const { sensors } = await parseConfig(`sensors: [{ kind: hololens, name: hl, ${keys} }]`, "c");
  expect(sensors[0]?.streams.map(({ name }) => name)).toEqual([
    "hl.accelerometer",
    ...["hl.depth-ahat", "hl.depth-ahat.ab", "hl.depth-longthrow", "hl.depth-longthrow.ab"],
  ]);
  const supervisor = createSupervisor({
    ...{ sensors, prefix, directory, group: null },
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
  try {
    await supervisor.start("hl");
    const { parts } = await until(() => {
      const status = supervisor.get("hl");
      const all = status?.parts ?? [];
      return all.length === 4 && all.every(({ state }) => state === "running") ? status : null;
    });
    expect(parts?.map(({ name }) => name)).toEqual([
      ...["device", "accelerometer", "depth-ahat", "depth-longthrow"],
    ]);
    const reader = await openReader("hl.accelerometer", { prefix });
    expect((await reader.next())?.shape).toEqual([93]);
    reader.close();
    expect(simulator.connections("accelerometer").isServing).toBe(true);
  } finally {
    await supervisor.close();
  }
  const ours = (file: string) => file.includes(prefix);
  expect([...readdirSync("/dev/shm"), ...readdirSync(directory)].filter(ours)).toEqual([]);
  sweepPrefix(prefix, directory);
  rmSync(directory, { recursive: true, force: true });
});
