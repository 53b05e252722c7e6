/**
 * A sensor is killed with SIGKILL at random moments while readers run, one in this process (which is the hub
 * here) and one in its own. To see it fail: take RETIRED or the lock check out of streamem__follow in
 * clients/c/streamem.h (readers stay on the dead ring), or the check of `begin` (torn frames).
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSegment } from "../src/ring/segment.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import { readOutput } from "../src/supervisor/sensor-output.ts";
import type { SensorStatus } from "../src/supervisor/sensor-status.ts";
import { createSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";
import { descriptors, type Followed, follow } from "./fixtures/follow.ts";

const prefix = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "streamem-"));

afterAll(() => {
  sweepPrefix(prefix, directory);
});

function supervise(backoffMs: number) {
  return createSupervisor({
    sensors: [
      {
        name: "s",
        kind: "steady",
        config: { kind: "steady", name: "s" },
        streams: [{ name: "s", spec: {} }],
        parts: [""],
      },
    ],
    prefix,
    group: null,
    directory,
    kindsModule: new URL("./fixtures/misbehaving.ts", import.meta.url).pathname,
    timing: { backoffMinMs: backoffMs, backoffMaxMs: backoffMs },
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
}

function leftovers(): string[] {
  const named = (file: string) => file.startsWith(`${prefix}.`) || file.startsWith(`.${prefix}.`);
  return [...readdirSync("/dev/shm"), ...readdirSync(directory)].filter(named);
}

/** The sensor's status once it is as wished. */
function until(supervisor: Supervisor, wished: (status: SensorStatus) => boolean) {
  return new Promise<SensorStatus>((resolve) => {
    const look = () => {
      const status = supervisor.get("s");
      if (!status || !wished(status)) return;
      unsubscribe();
      resolve(status);
    };
    const unsubscribe = supervisor.subscribe(look);
    look();
  });
}

/** A reader of its own process; `lines` are what it has written so far. */
function spawnReader() {
  const process_ = Bun.spawn([process.execPath, join(import.meta.dir, "fixtures/follow.ts"), "s"], {
    env: { ...process.env, STREAMEM_PREFIX: prefix, STREAMEM_DIR: directory },
    stdout: "pipe",
  });
  const lines: string[] = [];
  const ended = readOutput([process_.stdout], (line) => lines.push(line)).drained;
  return { lines, ended, stop: () => process_.kill("SIGTERM") };
}

/** What stands under the name now; null while nothing does. */
function generationNow(): string | null {
  try {
    const segment = openSegment(`/dev/shm/${prefix}.s`);
    segment.close();
    return segment.generation;
  } catch {
    return null;
  }
}

test("killed 100 times at random moments: readers go on, nothing is torn, nothing is left", async () => {
  const before = descriptors();
  const supervisor = supervise(10);
  await supervisor.start("s");
  const outside = spawnReader();
  const met = new Set<string>();
  let done = false;
  const inside = follow(
    "s",
    prefix,
    () => done,
    (generation) => met.add(generation),
  );

  let last: number | null = null;
  for (let kill = 0; kill < 100; kill++) {
    // Half of them at any moment of a process's life from its first, half once frames have come.
    const whenRunning = kill % 2 === 0;
    const { pid } = await until(
      supervisor,
      ({ pid, state }) => pid !== null && pid !== last && (!whenRunning || state === "running"),
    );
    await Bun.sleep(Math.random() * (whenRunning ? 30 : 100));
    process.kill(pid as number, "SIGKILL");
    last = pid;
  }

  await until(supervisor, ({ pid, state }) => pid !== null && pid !== last && state === "running");
  const final = generationNow() as string;
  // Both readers come to the last one by themselves; were they not to, this test would not end.
  while (!met.has(final) || !outside.lines.some((line) => line.includes(final)))
    await Bun.sleep(20);
  done = true;
  outside.stop();
  await outside.ended;

  const seen: Followed[] = [await inside, JSON.parse(outside.lines.at(-1) as string)];
  for (const reader of seen) {
    expect(reader.torn).toBe(0);
    expect(reader.frames).toBeGreaterThan(100);
    expect(reader.generations).toBeGreaterThan(10);
    expect(reader.mappings).toBe(0);
  }
  // Fewer is no fault: Bun may close one of its own meanwhile.
  expect(seen[1]?.descriptorsMore).toBeLessThanOrEqual(0);
  expect(supervisor.get("s")).toMatchObject({ state: "running", restarts: 100 });
  await supervisor.close();
  expect(leftovers()).toEqual([]);
  // A process that has just ended keeps its channel until the event loop has seen it close.
  for (let round = 0; round < 100 && descriptors() > before; round++) await Bun.sleep(20);
  expect(descriptors()).toBeLessThanOrEqual(before);
}, 120_000);
