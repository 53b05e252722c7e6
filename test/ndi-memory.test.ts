/**
 * Ten thousand frames of libndi's, used or left out, and the process is not larger than after the first thousands.
 *
 * To see it fail: leave a free out of capture.ts.
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ndiEnvironment, ndiFolder } from "./ndi-network.ts";
import { NdiRig, type TestSensor } from "./ndi-sensor.ts";

const rig = new NdiRig("ndi-memory");
afterEach(() => rig.end());
afterAll(() => rig.close());

/** MB of its own: rings are shared memory and do not count. */
function ownMemory({ status }: TestSensor): number {
  const text = readFileSync(`/proc/${status?.pid}/status`, "utf8");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

/** A heap may breathe by this; what must be freed is several times as much. */
const breathMb = 20;

describe.skipIf(ndiFolder === null)("memory", () => {
  test("10,000 frames: pictures and sound into their rings, metadata nowhere", async () => {
    await rig.sender("One", "--size", "320x180", "--fps", "240", "--fault", "metadata");
    const sensor = await rig.sensor({ source: "One", extraIps: "127.0.0.1" });
    const video = await sensor.reader();
    // However long it takes: a machine that is busy makes fewer a second.
    const published = async (count: bigint) => {
      for (let seq = 0n; seq < count; ) {
        const frame = await video.newest({ timeoutMs: 30_000 });
        if (!frame) throw new Error("no frame for 30 s");
        seq = frame.seq;
      }
    };
    await published(300n);
    await sensor.until(({ pid }) => pid !== null);
    const before = ownMemory(sensor);
    // With each picture comes a frame of sound, and one of metadata: three times 3,400.
    await published(3700n);
    // As many pictures are 390 MB, and as much metadata 40 MB.
    expect(ownMemory(sensor) - before).toBeLessThan(breathMb);
    expect(sensor.status?.restarts).toBe(0);
  });

  test("200 pictures that cannot be used", async () => {
    const sender = await rig.sender("One", "--size", "1280x720", "--fps", "240");
    const network = await rig.network();
    const program = join(import.meta.dir, "fixtures/ndi-throwing.ts");
    const words = network.command(process.execPath, program, sender.address, "200");
    const child = Bun.spawn(words, { env: ndiEnvironment, stderr: "inherit" });
    const { grownMb } = JSON.parse(await new Response(child.stdout).text());
    // As many are 737 MB; a young heap still grows towards what it keeps.
    expect(grownMb).toBeLessThan(5 * breathMb);
  });
});
