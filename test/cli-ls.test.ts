import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StreamFacts } from "../src/cli/rings.ts";
import { streamem, streamemJson } from "./cli.ts";
import { camera, TestRings, until } from "./rings.ts";

const rings = new TestRings("ls");
const { prefix, directory } = rings;
afterAll(() => rings.close());

interface Listed {
  streams: StreamFacts[];
  unreadable: { path: string; why: string }[];
}

const list = () => streamemJson<Listed>(["ls", "--prefix", prefix]);

test("nothing there: said on stderr, nothing on stdout, and no failure", async () => {
  const { code, stdout, stderr } = await streamem(["ls", "--prefix", `${prefix}-none`]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toBe(`There is no stream: no ring in /dev/shm/${prefix}-none.*\n`);
});

describe("without a hub", () => {
  test("a producer's stream, as table and as JSON in the API's words", async () => {
    const producer = await rings.producer("cam", { ...camera, rate: 100 }, 100);
    // Each look has a rate by the frames that are in the ring: while it is found they may be overwritten.
    const stdout = await until(async () => {
      const { stdout } = await streamem(["--prefix", prefix, "ls"]);
      return stdout.includes(" /s ") && stdout;
    });
    const [head, row] = stdout.split("\n");
    expect(head).toMatch(/^stream +kind +type and shape +rate +bytes +age +memory +state$/);
    expect(row).toMatch(
      /^cam +video +uint8 \(4, 6, 3\) +[\d.]+ \/s +[\d.]+ k?B\/s +[\d.]+ m?s +[\d.]+ kB +(live|stalled)$/,
    );
    const stream = await until(async () => {
      const [stream] = (await list()).streams;
      return typeof stream?.measuredRate === "number" && stream;
    });
    expect(stream).toMatchObject({
      ...camera,
      name: "cam",
      wakeMode: "futex",
      writer: { pid: producer.pid, uid: process.geteuid?.() },
      shm: { path: rings.path("cam"), slotCount: 8 },
    });
    expect(BigInt(stream.lastSequence)).toBeGreaterThan(1n);
    expect(stream.bytesPerSecond).toBeCloseTo((stream.measuredRate ?? 0) * 72);
  });

  test("a killed writer's stream is dead, by the environment's prefix", async () => {
    const producer = await rings.producer("killed", camera);
    producer.kill("SIGKILL");
    await producer.exited;
    const { streams } = await streamemJson<Listed>(["ls"], { STREAMEM_PREFIX: prefix });
    expect(streams.find(({ name }) => name === "killed")?.state).toBe("dead");
  });

  test("the prefix of streamem.yaml, by --config", async () => {
    const file = join(directory, "my.yaml");
    writeFileSync(file, `prefix: ${prefix}\n`);
    const { streams } = await streamemJson<Listed>(["ls", "--config", file]);
    expect(streams.map(({ name }) => name)).toContain("cam");
  });

  test("a password in a stranger's source is not shown", async () => {
    rings.writer("cam2", { ...camera, source: { kind: "x", url: "rtsp://me:secret@cam/" } });
    const { stdout } = await streamem(["ls", "--prefix", prefix, "--json"]);
    expect(stdout).toContain("rtsp://");
    expect(stdout).not.toContain("secret");
  });

  test("what is no ring is named with the reason, and keeps nobody from the rest", async () => {
    rings.foreign("garbage", Buffer.alloc(4096, 1));
    const { code, stdout, stderr } = await streamem(["ls", "--prefix", prefix]);
    expect(code).toBe(0);
    expect(stdout).toContain("cam ");
    expect(stderr).toStartWith(`${rings.path("garbage")}: not a streamem ring`);
    expect((await list()).unreadable).toMatchObject([{ path: rings.path("garbage") }]);
  });
});

describe("wrong usage ends with 2", () => {
  test.each([
    [["ls", "--prefix", "a.b"], "A prefix has 1 to 32 of a-z 0-9 _ - (no dot)."],
    [["ls", "--nothing"], "unknown option '--nothing'"],
    [["ls", "--config", "/not-there.yaml"], "/not-there.yaml: cannot be read"],
    [["sl"], "unknown command 'sl'"],
  ])("%j", async (words, said) => {
    const { code, stderr } = await streamem(words);
    expect(stderr).toContain(said);
    expect(code).toBe(2);
  });
});
