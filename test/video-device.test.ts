/**
 * V4L2 through FFmpeg's own device code, with a camera that a preloaded library pretends to be: there is
 * none on a build machine, and the kernel's (vivid, v4l2loopback) cannot be loaded in a container.
 * What that leaves out: real drivers, and cameras that give Motion JPEG.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filmFolder, type TakenFrame, VideoRig } from "./video-rig.ts";

const haveCompiler = Bun.which("cc") !== null;
if (!haveCompiler) console.warn("cc is missing: V4L2 not tested. apt-get install gcc libc6-dev");

const folder = filmFolder();
const library = folder.path("fake-v4l2.so");
const unplugged = folder.path("unplugged");
const rig = new VideoRig("device");
const url = "/dev/video42";

function start(keys: Record<string, unknown> = {}, environment: Record<string, string> = {}): void {
  const camera = { LD_PRELOAD: library, FAKE_V4L2_UNPLUGGED: unplugged };
  rig.startWith({ ...camera, ...environment }, { url, ...keys });
}

beforeAll(() => {
  if (!haveCompiler) return;
  const source = join(import.meta.dir, "fixtures/fake-v4l2.c");
  const words = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source];
  const built = Bun.spawnSync(["cc", ...words]);
  if (!built.success) throw new Error(built.stderr.toString());
});
afterEach(async () => {
  await rig.close();
  rmSync(unplugged, { force: true });
});
afterAll(() => folder.remove());

async function frames(count: number): Promise<TakenFrame[]> {
  const taken: TakenFrame[] = [];
  for await (const frame of rig.frames()) {
    taken.push(frame);
    if (taken.length === count) break;
  }
  return taken;
}

/** Of one brightness all over, give or take what the conversion rounds. */
const isGrey = ({ bytes }: TakenFrame) =>
  bytes.every((value) => Math.abs(value - (bytes[0] as number)) <= 2);

describe.skipIf(!haveCompiler)("a camera of this machine", () => {
  test("gives its pictures with the kernel's time, and leaves out what its driver calls broken", async () => {
    start({ slots: 64 });
    const taken = await frames(30);
    expect(taken.every(isGrey)).toBe(true);
    for (const [i, { captureTimeNs, deviceTime, publishTimeNs }] of taken.entries()) {
      expect(captureTimeNs).toBe((deviceTime as bigint) * 1000n);
      // It hands them out 5 ms after the stamp.
      expect(publishTimeNs - (captureTimeNs as bigint)).toBeGreaterThanOrEqual(5_000_000n);
      const steps =
        captureTimeNs && i > 0 ? captureTimeNs - (taken[i - 1]?.captureTimeNs as bigint) : 0n;
      if (i > 0) expect(steps / 1_000_000n).toBe((steps / 39_000_000n) * 40n);
    }
    const { descriptor } = await rig.reader();
    expect(descriptor).toMatchObject({
      shape: [48, 64, 3],
      rate: 25,
      clock: { name: "CLOCK_MONOTONIC", unit: "1/1000000 s", epoch: "boot", method: "local" },
      source: { kind: "video", url, codec: "rawvideo" },
    });
    const { counters } = await rig.until(({ counters }) => (counters.dropped ?? 0) > 1);
    expect(counters.dropped).toBeGreaterThan(1);
  });

  test("is asked for the size that is wanted", async () => {
    start({ width: 32, height: 24, pixelFormat: "gray" });
    expect((await frames(3))[0]?.shape).toEqual([24, 32]);
    expect((await rig.reader()).descriptor.source).toMatchObject({ width: 32, height: 24 });
  });

  test("whose stamps are of another clock is stamped by arrivals", async () => {
    start({}, { FAKE_V4L2_CLOCK: "realtime" });
    const [, second] = await frames(2);
    expect((await rig.reader()).descriptor.clock?.method).toBe("one-way");
    expect(second?.captureTimeNs).toBeLessThanOrEqual(second?.publishTimeNs as bigint);
    expect((second?.publishTimeNs as bigint) - (second?.captureTimeNs as bigint)).toBeLessThan(
      10_000_000_000n,
    );
  });

  test("that is pulled out is waited for, and the same ring goes on when it is back", async () => {
    start();
    const before = (await frames(5)).at(-1) as TakenFrame;
    writeFileSync(unplugged, "");
    await rig.until(({ words }) => words?.includes("is not there") ?? false);
    rmSync(unplugged);
    await rig.until(({ state }) => state === "running");
    for await (const { seq, generation } of rig.frames()) {
      expect(generation).toBe(before.generation);
      if (seq > before.seq + 20n) break; // more than a ring's history
    }
    expect(rig.status).toMatchObject({ restarts: 0, lastError: null });
  });

  test("whose driver hangs is given up after ten seconds, and tried in a new process", async () => {
    start({}, { FAKE_V4L2_HANGS: "1" });
    const { lastError } = await rig.until(({ restarts }) => restarts > 0);
    expect(lastError?.words).toBe("/dev/video42 has sent nothing for 10 s");
    await rig.until(({ state }) => state === "running");
  });
});
