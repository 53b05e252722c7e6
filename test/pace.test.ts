import { expect, test } from "bun:test";
import { pace, type Tick } from "../sensors/pace.ts";
import { monotonicNs } from "../src/ring/ffi.ts";

/** The first `count` ticks; `work` happens after each. */
async function ticks(
  count: number,
  rate: number,
  options: { startNs?: bigint; catchUpNs?: bigint; work?: (tick: Tick) => void } = {},
): Promise<(Tick & { atNs: bigint })[]> {
  const stop = new AbortController();
  const taken: (Tick & { atNs: bigint })[] = [];
  const { startNs = monotonicNs(), catchUpNs, work } = options;
  for await (const tick of pace(rate, startNs, { signal: stop.signal, catchUpNs })) {
    taken.push({ ...tick, atNs: monotonicNs() });
    work?.(tick);
    if (taken.length === count) stop.abort();
  }
  return taken;
}

function blockFor(ns: bigint): void {
  const until = monotonicNs() + ns;
  while (monotonicNs() < until);
}

test("no tick is early, and each is due at start + index / rate, also where a period is no whole ns", async () => {
  const startNs = monotonicNs();
  const taken = await ticks(60, 299.7, { startNs });
  for (const { index, dueNs, atNs } of taken) {
    expect(atNs).toBeGreaterThanOrEqual(dueNs);
    const exact = Number(startNs) + (index * 1e9) / 299.7;
    expect(Math.abs(Number(dueNs) - exact)).toBeLessThan(1000); // what a double of ns since boot can hold
  }
});

// To see it fail: leave `index += skipped` out.
test("who is late by periods skips them and says so", async () => {
  let isLate = false;
  const late = (tick: Tick) => {
    if (isLate || tick.index < 2) return; // the machine's own pause may have skipped the second
    isLate = true;
    blockFor(50_000_000n);
  };
  const taken = await ticks(10, 100, { work: late });
  const after = taken.findIndex((tick) => tick.skipped > 0);
  expect(after).toBeGreaterThan(0);
  for (const [i, tick] of taken.entries()) {
    const before = taken[i - 1]?.index ?? -1;
    expect(tick.index).toBe(before + 1 + tick.skipped);
  }
  // Late by five: four have to go, the newest of them is given.
  expect(taken.reduce((sum, tick) => sum + tick.skipped, 0)).toBeGreaterThanOrEqual(4);
});

// To see it fail: do not subtract catchUpNs.
test("who may catch up skips nothing", async () => {
  const late = (tick: Tick) => tick.index === 2 && blockFor(50_000_000n);
  const taken = await ticks(10, 100, { work: late, catchUpNs: 60_000_000_000n });
  expect(taken.map((tick) => tick.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(taken.every((tick) => tick.skipped === 0)).toBe(true);
});

test("who is always late still lets the event loop run, and ends when told", async () => {
  let heard = 0;
  const ear = setInterval(() => heard++, 1);
  await ticks(20, 1e6, { work: () => blockFor(2_000_000n) });
  clearInterval(ear);
  expect(heard).toBeGreaterThan(5);
});

test("a wait of years ends when told", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const start = monotonicNs() + 10n ** 15n;
  for await (const _ of pace(1, start, { signal: stop.signal })) throw new Error("too early");
});
