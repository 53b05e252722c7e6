// On simulated time: `sleep` moves it, and so does a probe.
import { expect, test } from "bun:test";
import { type BurstsOptions, createBursts, type Time } from "../src/clock/bursts.ts";
import { createProbeClock, type TickProbe } from "../src/clock/probe-clock.ts";
import { random } from "./simulated-device.ts";

const toNs = (ms: number) => BigInt(Math.round(ms * 1e6));

/** A device that answers after `delayMs`, and bursts that run until the simulated time is over. */
function rig(options: { untilMs: number; delayMs?: () => number } & Partial<BurstsOptions>) {
  const { untilMs, delayMs = () => 4, ...rest } = options;
  const over = new AbortController();
  let nowMs = 1000;
  const pass = (ms: number) => {
    nowMs += ms;
    if (nowMs >= untilMs) over.abort();
  };
  const time: Time = {
    nowMs: () => nowMs,
    random: random(5),
    async sleep(ms, signal) {
      await Promise.resolve(); // somebody may ask for a burst meanwhile
      if (ms > 0 && !signal.aborted) pass(ms);
    },
  };
  const askedMs: number[] = [];
  const clock = createProbeClock({ ticksPerSecond: 10_000_000 });
  const probe = async (): Promise<TickProbe> => {
    askedMs.push(nowMs);
    const t0Ns = toNs(nowMs);
    const delay = delayMs();
    pass(delay / 2);
    const deviceTicks = toNs(nowMs) / 100n;
    pass(delay / 2);
    return { t0Ns, deviceTicks, t3Ns: toNs(nowMs) };
  };
  const bursts = createBursts({ clock, probe, signal: over.signal, time, failed: fail, ...rest });
  return { bursts, clock, askedMs, probe, nowMs: () => nowMs };
}

function fail(error: unknown): never {
  throw error;
}

/** The probes of each burst: a second without one divides them. */
function groups(askedMs: number[]): number[][] {
  return askedMs.reduce<number[][]>((all, ms) => {
    const last = all.at(-1)?.at(-1);
    if (last === undefined || ms - last > 400) all.push([]);
    all.at(-1)?.push(ms);
    return all;
  }, []);
}

test("eight probes about 64 ms apart, every two seconds, at a phase of its own", async () => {
  let settled = 0;
  const { bursts, askedMs, clock } = rig({ untilMs: 61_000, settled: () => settled++ });
  await bursts.run();
  const all = groups(askedMs);
  expect(all.length).toBe(30);
  expect(settled).toBe(30);
  expect(all.every((burst) => burst.length === 8)).toBe(true);
  expect(clock.state().probes).toBe(240);
  const gaps = all.flatMap((burst) => burst.slice(1).map((ms, i) => ms - (burst[i] as number)));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(48);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(80);
  const starts = all.map((burst) => burst[0] as number);
  const periods = starts.slice(1).map((ms, i) => ms - (starts[i] as number));
  expect(Math.min(...periods)).toBeGreaterThanOrEqual(2000);
  expect(Math.max(...periods)).toBeLessThanOrEqual(2064);
  const phases = new Set(starts.map((ms) => Math.floor((ms % (1000 / 30)) / 4)));
  expect(phases.size).toBeGreaterThan(4);
});

test("a slow answer delays the next question: never two at a time", async () => {
  const { bursts, askedMs } = rig({ untilMs: 30_000, delayMs: () => 150 });
  await bursts.run();
  const gaps = askedMs.slice(1).map((ms, i) => ms - (askedMs[i] as number));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(150);
});

test("a failure ends its burst, is told, and the next burst comes in time", async () => {
  const failures: unknown[] = [];
  let asked = 0;
  const lost = new Error("connection lost");
  const { bursts, askedMs, clock } = rig({
    untilMs: 21_000,
    failed: (error) => failures.push(error),
    delayMs() {
      asked += 1;
      if (asked === 3) throw lost;
      return 4;
    },
  });
  await bursts.run();
  expect(failures).toEqual([lost]);
  expect(groups(askedMs).map((burst) => burst.length)).toEqual([3, ...Array(9).fill(8)]);
  expect(clock.state().probes).toBe(2 + 9 * 8);
});

test("a doubt brings the next burst forward, but no closer than half a second", async () => {
  const { bursts, askedMs } = rig({
    untilMs: 21_000,
    settled: () => bursts.soon(),
  });
  await bursts.run();
  const starts = groups(askedMs).map((burst) => burst[0] as number);
  const pauses = groups(askedMs)
    .slice(1)
    .map((burst, i) => (burst[0] as number) - (groups(askedMs)[i]?.at(-1) as number));
  expect(starts.length).toBeGreaterThan(15);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(500);
});
