import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchContext, Series } from "../bench/bench.ts";
import { type Load, peers, startPeer } from "../bench/peers/peer.ts";
import { peerRows } from "../bench/peers-rows.ts";
import { clearLeftovers, compileProgram, Program } from "../bench/program.ts";

const folder = mkdtempSync(join(tmpdir(), "streamem-bench-peers-"));
const prefix = `t${process.pid}-peers`;
const environment = { STREAMEM_PREFIX: prefix, STREAMEM_DIR: folder };
const context: BenchContext = { prefix, folder, environment, share: 1, say() {} };

afterAll(() => {
  clearLeftovers(prefix);
  rmSync(folder, { recursive: true });
});

const sumOf = (series: Series[], what: string) =>
  series
    .filter(({ condition }) => condition === what)
    .flatMap(({ samples }) => samples)
    .reduce((sum, n) => sum + n, 0);

test("each peer says what it offers, and the ancestor is one only when it was asked for", () => {
  const files = peers({}).map(({ file }) => file);
  expect(files).toContain("floor.c");
  expect(files).toContain("iceoryx_rust.rs");
  expect(files).not.toContain("ancestor.py");
  expect(peers({ STREAMEM_PYTHON: "there" }).map(({ file }) => file)).toContain("ancestor.py");
  const names = peers({}).flatMap(({ contenders }) => contenders.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});

test("what is not installed is a reason in words", async () => {
  const peer = { file: "floor.c", contenders: [], commands: ["no-such-program"] };
  const load: Load = { bytes: 64, readers: 1, paced: 2, rate: 200, burstMs: 0 };
  const contender = { name: "x", mode: "blocking" };
  await expect(startPeer(peer, contender, load, context)).rejects.toThrow(
    "not installed: no-such-program",
  );
});

// Readers in C and in Bun sum with different code: were one of the sums wrong, every frame of that reader would be torn.
test.each(["streamem, C, blocking", "streamem, C writes, Bun reads"])(
  "%s: every frame arrives and none is torn",
  async (name) => {
    const peer = peers({}).find(({ file }) => file === "ours.c") as ReturnType<
      typeof peers
    >[number];
    const contender = peer.contenders.find(
      (one) => one.name === name,
    ) as (typeof peer.contenders)[number];
    // A turn is cut short after six times what it should take: 6 s here.
    const load = { bytes: 4096, readers: 2, paced: 4, rate: 4, burstMs: 0 };
    const program = await startPeer(peer, contender, load, context);
    const series = await program.round();
    await program.end();
    expect(sumOf(series, "sent")).toBe(8);
    expect(sumOf(series, "received")).toBeGreaterThan(0);
    expect(sumOf(series, "torn")).toBe(0);
  },
  60_000,
);

// To see it fail, compare only the first and the last word in peer_read_for_ever, as stamps at head and tail do.
test("one word of the frame before makes a frame torn", async () => {
  const command = [compileProgram(join(import.meta.dir, "peer-mixed.c"), ["-O2"], context)];
  const program = await Program.start(
    "mixed",
    [...command, "mixed", "blocking", "4096", "1", "4", "20", "0"],
    environment,
  );
  const series = await program.round();
  await program.end();
  // Each that came, however many came in time; those that only warm up count too.
  expect(sumOf(series, "received")).toBeGreaterThan(0);
  expect(sumOf(series, "torn")).toBeGreaterThanOrEqual(sumOf(series, "received"));
}, 60_000);

test("missed and torn frames are counted over all rounds; goals stand in a table of their own", () => {
  const of = (what: string, samples: number[]): Series => ({
    case: "64 B, 1 reader",
    contender: "ZeroMQ over ipc",
    condition: what,
    samples,
  });
  const rows = peerRows([
    [of("sent", [8]), of("received", [6]), of("torn", [0])],
    [of("sent", [8]), of("received", [8]), of("torn", [2])],
  ]);
  const value = (condition: string) => rows.find((row) => row.condition === condition)?.p50;
  expect(value("missed at 30 Hz")).toBe(12.5);
  expect(value("torn")).toBe(2);
  expect(rows.every((row) => row.foreign)).toBe(true);
});
