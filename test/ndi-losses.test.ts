/**
 * Every way in which a source of NDI is lost, with real processes: what is said, that the rings are kept, and that no frame of
 * another camera is ever published under this one's name.
 *
 * To see it fail: search by address instead of by name after a loss (follow.ts), leave `receiver.connect(null)` out
 * (capture.ts), or do not ask who listens first (reach.ts).
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Colour, grounds } from "../sensors/ndi/simulator/test-picture.ts";
import type { RingReader } from "../src/ring.ts";
import { ndiFolder } from "./ndi-network.ts";
import { NdiRig, type TestSensor } from "./ndi-sensor.ts";
import { until } from "./rings.ts";

const rig = new NdiRig("ndi-losses");
afterEach(() => rig.end());
afterAll(() => rig.close());

const small = ["--size", "160x90", "--fps", "30"];
// Slots for seconds: what is copied here must not be overwritten meanwhile.
const slots = 64;
const byName = { source: "One", extraIps: "127.0.0.1", slots };

/** Which source's ground a picture shows at its left edge, where the wandering bar is a moment in a round. */
function groundOf(bgr: Uint8Array): number {
  const at = 3 * (45 * 160 + 2);
  const near = ([red, green, blue]: Colour) =>
    [blue, green, red].every((part, i) => Math.abs((bgr[at + i] as number) - part) < 12);
  return grounds.findIndex(near);
}

/** The next `count` frames. */
async function seen(reader: RingReader, count: number) {
  const found: { ground: number; generation: string }[] = [];
  await until(async () => {
    const frame = await reader.next({ timeoutMs: 200 });
    if (frame)
      found.push({ ground: groundOf(frame.copy() as Uint8Array), generation: frame.generation });
    return found.length >= count;
  });
  return found;
}

/** Of one core, for a second. Where a connection is refused libndi alone takes 97 %. */
async function coreShare(pid: number | null): Promise<number> {
  const cpuMs = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return 10 * (Number(fields[11]) + Number(fields[12]));
  };
  const [before, startMs] = [cpuMs(), performance.now()];
  await Bun.sleep(1000);
  return (cpuMs() - before) / (performance.now() - startMs);
}

const runs = (sensor: TestSensor) => sensor.until(({ state }) => state === "running");
const says = (sensor: TestSensor, words: string) =>
  sensor.until((status) => status.words?.includes(words) ?? false);

describe.skipIf(ndiFolder === null)("a source that is", () => {
  test("killed, and back on the same or another port: the ring is kept, and the source found by its name", async () => {
    const first = await rig.sender("One", ...small);
    const sensor = await rig.sensor(byName);
    const reader = await sensor.reader();
    const [before] = await seen(reader, 1);
    await first.kill();
    // Among all that it said: the words of the search follow at once.
    const ended = await until(() =>
      sensor.statuses.find(({ words }) => words?.includes("has ended")),
    );
    expect(ended.state).toBe("connecting");
    expect(reader.state).not.toBe("retired");
    expect(await coreShare(ended.pid)).toBeLessThan(0.5);
    await says(sensor, "Seen: no source at all");
    // The first of a process gets the first free port, which was its own.
    const other = await rig.sender(["Other", "One"], ...small);
    expect(other.name).toContain("(Other-");
    await runs(sensor);
    expect((await seen(reader, 3)).map(({ generation }) => generation)).toEqual(
      Array(3).fill(before?.generation),
    );
    expect(sensor.status?.restarts).toBe(0);
  });

  test("not the one at its port any more: never a frame of the wrong one", async () => {
    const sender = await rig.sender(["One", "Two"], ...small);
    const sensor = await rig.sensor(byName);
    const reader = await sensor.reader();
    const [before] = await seen(reader, 10);
    for (let round = 0; round < 3; round++) {
      const told = sensor.statuses.length;
      sender.fault("swap");
      await until(() => sensor.statuses.slice(told).some(({ state }) => state === "connecting"));
      await runs(sensor);
      const frames = await seen(reader, 20);
      expect(frames.some(({ ground }) => ground === 0)).toBe(true);
      expect(frames.some(({ ground }) => ground === 1)).toBe(false);
      expect(frames.every(({ generation }) => generation === before?.generation)).toBe(true);
    }
  });

  test("known by its address alone: its name is learnt, and then followed", async () => {
    const sender = await rig.sender(["One", "Two"], ...small);
    const sensor = await rig.sensor({ address: sender.address, slots });
    const reader = await sensor.reader();
    await seen(reader, 1);
    await sensor.until(({ log }) => log.some(({ words }) => words.includes(sender.name)));
    sender.fault("swap");
    await says(sensor, sender.address);
    await runs(sensor);
    const frames = await seen(reader, 20);
    expect(frames.some(({ ground }) => ground === 1)).toBe(false);
    expect(frames.some(({ ground }) => ground === 0)).toBe(true);
  });

  test("not there, while its port refuses: said, and no core is spent on it", async () => {
    const gone = await rig.sender("One", ...small);
    await gone.kill();
    const sensor = await rig.sensor({ address: gone.address });
    const { pid } = await says(sensor, "refuses the connection");
    expect(await coreShare(pid)).toBeLessThan(0.5);
    const back = await rig.sender("One", ...small);
    expect(back.address).toBe(gone.address);
    await runs(sensor);
  });

  test("an address at which somebody else listens: said, and tried again", async () => {
    const network = await rig.network();
    const serve = `require("net").createServer((s) => s.on("error", () => {})).listen(5999, () => console.log("ready"))`;
    const stranger = Bun.spawn(network.command(process.execPath, "-e", serve), { stdout: "pipe" });
    try {
      await stranger.stdout.getReader().read();
      const keys = { address: "127.0.0.1:5999", silentTimeoutMs: 100, connectTimeoutMs: 500 };
      const sensor = await rig.sensor(keys);
      expect((await says(sensor, "tried again")).state).toBe("connecting");
      await says(sensor, "has sent nothing");
    } finally {
      stranger.kill("SIGKILL");
      await stranger.exited;
    }
  });

  test("frozen: waited for, and there again at once; after long silence connected to anew", async () => {
    const sender = await rig.sender("One", ...small);
    const sensor = await rig.sensor({ ...byName, silentTimeoutMs: 300, connectTimeoutMs: 500 });
    const reader = await sensor.reader();
    const [before] = await seen(reader, 3);
    sender.process.kill("SIGSTOP");
    expect((await says(sensor, "has sent nothing for 0.3 s")).state).toBe("waiting");
    sender.process.kill("SIGCONT");
    await runs(sensor);
    await seen(reader, 3);
    sender.process.kill("SIGSTOP");
    await says(sensor, "has sent nothing for long");
    sender.process.kill("SIGCONT");
    await runs(sensor);
    const [after] = await seen(reader, 3);
    expect(after?.generation).toBe(before?.generation);
  });

  test("nowhere: the sensor says what there is, goes on looking, and ends at once when told to", async () => {
    await rig.sender(["Red", "Green"], ...small);
    const sensor = await rig.sensor({ source: ["red", "blue"], extraIps: "127.0.0.1" });
    const { words, pid } = await says(sensor, "Seen:");
    expect(words).toContain('whose name holds "red" and "blue"');
    expect(words).toMatch(/Seen: ".*\(Green-\d+\)", ".*\(Red-\d+\)"/);
    process.kill(pid as number, "SIGTERM");
    await sensor.until((status) => status.pid !== pid);
  });

  test("received: SIGTERM ends the sensor at once, and its rings are gone", async () => {
    const sender = await rig.sender("One", ...small);
    const sensor = await rig.sensor(byName);
    const reader = await sensor.reader();
    await seen(reader, 1);
    const { pid } = await runs(sensor);
    // From now on nothing comes: the sensor that is started in its place makes no ring.
    sender.process.kill("SIGSTOP");
    process.kill(pid as number, "SIGTERM");
    await until(() => reader.state === "retired");
    await sensor.until((status) => status.pid !== pid);
  });
});
