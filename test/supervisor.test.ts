/** Real processes that crash, hang, refuse and are killed; the sensors are in fixtures/misbehaving.ts. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReader } from "../src/ring.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import type { LifeTiming } from "../src/supervisor/part-life.ts";
import type { SensorStatus } from "../src/supervisor/sensor-status.ts";
import { createSupervisor, type Supervisor, UnknownSensor } from "../src/supervisor/supervisor.ts";

const prefix = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "streamem-"));
const kindsModule = new URL("./fixtures/misbehaving.ts", import.meta.url).pathname;
/** Nobody is held for hung, however long a process takes to start beside others; those that test it say when. */
const quick: Partial<LifeTiming> = { aliveMs: 50, silentBeatsMax: 1e6, graceMs: 100 };
const watched = { ...quick, silentBeatsMax: 40 };

let supervisor: Supervisor;

afterEach(async () => {
  await supervisor.close();
  sweepPrefix(prefix, directory);
});

function supervise(kind: string, keys: object = {}, timing = quick): Supervisor {
  const config = { kind, name: "s", ...keys };
  const streams = [{ name: "s", spec: {} }];
  supervisor = createSupervisor({
    sensors: [{ name: "s", kind, config, streams, parts: [""] }],
    prefix,
    group: null,
    directory,
    kindsModule,
    timing,
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
  return supervisor;
}

/** Resolves with the first status that is as wished. */
function until(wished: (status: SensorStatus) => boolean): Promise<SensorStatus> {
  return new Promise((resolve) => {
    const look = (status: SensorStatus | undefined) => {
      if (!status || !wished(status)) return;
      unsubscribe();
      resolve(status);
    };
    const unsubscribe = supervisor.subscribe(look);
    look(supervisor.get("s"));
  });
}

const running = () => until((status) => status.state === "running");

function leftovers(): string[] {
  const named = (file: string) => file.startsWith(`${prefix}.`) || file.startsWith(`.${prefix}.`);
  return [...readdirSync("/dev/shm"), ...readdirSync(directory)].filter(named);
}

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describe("a sensor that behaves", () => {
  test("starts, runs, stops; nothing is left", async () => {
    supervise("steady");
    expect(supervisor.list()).toMatchObject([{ name: "s", kind: "steady", state: "stopped" }]);
    await supervisor.start("s");
    const { pid } = await running();
    const reader = await openReader("s", { prefix });
    expect((await reader.next())?.seq).toBeGreaterThan(0n);
    reader.close();
    expect(await supervisor.stop("s")).toMatchObject({ state: "stopped", pid: null, restarts: 0 });
    expect(alive(pid as number)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test("starts again on request, with a new process", async () => {
    supervise("steady");
    await supervisor.start("s");
    const first = await running();
    await supervisor.restart("s");
    const second = await running();
    expect(second.pid).not.toBe(first.pid);
    expect(second.restarts).toBe(0);
  });

  test("orders that come at once are done one after the other", async () => {
    supervise("steady");
    const orders = [supervisor.start("s"), supervisor.stop("s"), supervisor.start("s")];
    await Promise.all([...orders, supervisor.stop("s")]);
    expect(supervisor.get("s")).toMatchObject({ state: "stopped", pid: null });
    expect(leftovers()).toEqual([]);
  });

  test("a name that is not configured", async () => {
    supervise("steady");
    expect(supervisor.start("nobody")).rejects.toThrow(UnknownSensor);
    expect(supervisor.start("nobody")).rejects.toThrow('no sensor "nobody"; configured: s');
  });

  test("what it says about itself arrives", async () => {
    supervise("talks", { url: "rtsp://me:secret@door/" });
    await supervisor.start("s");
    const status = await until(({ state }) => state === "waiting");
    expect(status.words).toBe("for somebody at rtsp://***@door/");
    expect(status.clock).toMatchObject({ method: "probe", offsetNs: 5n, errorNs: 7n });
    expect(supervisor.calibration("s")).toMatchObject({
      document: { fx: 1 },
      tables: { undistort: { data: new Uint8Array(8).fill(1) } },
    });
  });

  test("a ring that was not planned shows up, and is gone afterwards", async () => {
    supervise("twins");
    await supervisor.start("s");
    const status = await running();
    expect(status.streams).toEqual(["s", "s.second"]);
    process.kill(status.pid as number, "SIGKILL");
    await supervisor.stop("s");
    expect(leftovers()).toEqual([]);
  });
});

// To see it fail: let socketOf() in sweep.ts know only whole names.
test("a doorbell that a killed process had half made is swept too", () => {
  supervise("steady");
  writeFileSync(join(directory, `${prefix}.s.soc~`), "");
  expect(sweepStreams(prefix, ["s"], directory)).toEqual(["s"]);
  expect(leftovers()).toEqual([]);
});

describe("a sensor that fails", () => {
  test("an exception: the error is shown with where it happened, the process is started again", async () => {
    supervise("crash");
    await supervisor.start("s");
    const { lastError } = await until(({ restarts }) => restarts === 2);
    expect(lastError?.words).toContain("ended with exit code 1");
    expect(lastError?.words).toContain("the lens fell off");
    expect(lastError?.words).toContain("misbehaving.ts");
    expect(lastError?.count).toBe(2);
  });

  test("an exit of a library: its last words are shown, without the password", async () => {
    supervise("exit", { url: "rtsp://me:secret@door/" });
    await supervisor.start("s");
    const { lastError } = await until(({ state }) => state === "restarting");
    expect(lastError?.words).toBe(
      "The process ended with exit code 3; its last words:\nnative library: cannot open rtsp://***@door/",
    );
  });

  test("a signal has its name", async () => {
    supervise("steady");
    await supervisor.start("s");
    const { pid } = await running();
    process.kill(pid as number, "SIGSEGV");
    const { lastError } = await until(({ state }) => state === "restarting");
    expect(lastError?.words).toStartWith(
      "The process was ended by SIGSEGV (a fault in native code)",
    );
  });

  // To see it fail: take out the doubling in tryAgain().
  test("the wait doubles from 50 ms up to the greatest", async () => {
    supervise("crash", {}, { ...quick, backoffMaxMs: 150 });
    const waits: string[] = [];
    supervisor.subscribe(({ state, words }) => state === "restarting" && waits.push(words ?? ""));
    await supervisor.start("s");
    await until(({ restarts }) => restarts === 4);
    const expected = [50, 100, 150, 150].map((ms) => `starts again in ${ms} ms`);
    expect(waits.slice(0, 4)).toEqual(expected);
  });

  // To see it fail: take out what the first frame does to backoffMs.
  test("the wait is back at 50 ms after a first frame", async () => {
    supervise("crash-after-frame");
    const waits = new Set<string | null>();
    supervisor.subscribe(({ state, words }) => state === "restarting" && waits.add(words));
    await supervisor.start("s");
    await until(({ restarts }) => restarts === 4);
    expect([...waits]).toEqual(["starts again in 50 ms"]);
  });

  test("words for the user: tried again where that can help", async () => {
    supervise("unreachable", { url: "rtsp://me:secret@door/" });
    await supervisor.start("s");
    const { lastError } = await until(({ restarts }) => restarts === 2);
    expect(lastError?.words).toBe("rtsp://***@door/ does not answer");
    expect(lastError?.count).toBe(2);
  });

  test("... and not where it cannot", async () => {
    supervise("refuses", { url: "/dev/null" });
    await supervisor.start("s");
    const status = await until(({ state }) => state === "failed");
    expect(status).toMatchObject({ pid: null, restarts: 0, words: null });
    expect(status.lastError?.words).toBe("/dev/null is no camera");
    expect(leftovers()).toEqual([]);
  });

  test("a source that comes to its end is no failure", async () => {
    supervise("ends");
    await supervisor.start("s");
    const status = await until(({ state }) => state === "ended");
    expect(status).toMatchObject({ pid: null, restarts: 0, lastError: null });
    expect(leftovers()).toEqual([]);
  });

  test("a stream that is named after somebody else", async () => {
    supervise("greedy");
    await supervisor.start("s");
    const { lastError } = await until(({ state }) => state === "restarting");
    expect(lastError?.words).toContain(
      'stream "somebody-else" must be named "s" or begin with "s."',
    );
  });

  test("a stop while it waits for its next try", async () => {
    supervise("crash", {}, { ...quick, backoffMinMs: 1e6, backoffMaxMs: 1e6 });
    await supervisor.start("s");
    await until(({ state }) => state === "restarting");
    expect(await supervisor.stop("s")).toMatchObject({ state: "stopped", pid: null });
  });
});

describe("a sensor that hangs", () => {
  // To see these fail: take the kill out of beat().
  test("a stuck event loop: killed, said, started again", async () => {
    supervise("stuck", {}, watched);
    await supervisor.start("s");
    const { lastError } = await until(({ restarts }) => restarts === 1);
    expect(lastError?.words).toBe(
      "The process hung: it gave no sign of life for 2 s and was killed",
    );
    await running();
  });

  test("a process that was stopped with SIGSTOP", async () => {
    supervise("steady", {}, watched);
    await supervisor.start("s");
    const { pid, restarts: before } = await running();
    process.kill(pid as number, "SIGSTOP");
    const { lastError } = await until(({ restarts }) => restarts > before);
    expect(lastError?.words).toContain("hung");
    expect((await running()).pid).not.toBe(pid);
  });

  // To see these fail: take the timer for SIGKILL out of stop().
  for (const kind of ["stuck", "deaf"]) {
    test(`${kind}: it is killed after the grace, and its ring goes with it`, async () => {
      supervise(kind);
      await supervisor.start("s");
      const { pid } = await running();
      const reader = await openReader("s", { prefix });
      expect(await supervisor.stop("s")).toMatchObject({ state: "stopped", pid: null });
      expect(alive(pid as number)).toBe(false);
      expect(leftovers()).toEqual([]);
      expect(reader.state).toBe("retired");
      reader.close();
    });
  }
});

test("what a sensor's process is started with does not name its address", async () => {
  supervise("steady", { url: "rtsp://me:secret@door/" });
  await supervisor.start("s");
  const { pid } = await running();
  for (const file of ["cmdline", "environ"]) {
    expect(readFileSync(`/proc/${pid}/${file}`, "utf8")).not.toContain("secret");
  }
});
