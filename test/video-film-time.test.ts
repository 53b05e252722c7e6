import { expect, test } from "bun:test";
import { createFilmTime } from "../sensors/video/film-time.ts";
import type { Clock } from "../sensors/video/wait.ts";
import { monotonicNs } from "../src/ring/ffi.ts";

const ms = 1_000_000n;
const { signal } = new AbortController();

/** Passes while somebody sleeps, and where a test says so; not while this process waits for a processor. */
function simulated(): Clock & { pass(ns: bigint): void } {
  let ns = 1_000_000n * ms;
  return {
    nowNs: () => ns,
    async sleep(forMs) {
      ns += BigInt(forMs) * ms;
      await Bun.sleep(0); // others have their turn
    },
    pass(forNs) {
      ns += forNs;
    },
  };
}

test("a computer that slept does not show a minute at once: the film is held, sound with it", async () => {
  const clock = simulated();
  const time = createFilmTime(clock);
  time.begin(0n);
  const first = await time.picture(0n, 40n * ms, signal);
  clock.pass(500n * ms);
  const second = await time.picture(40n * ms, 40n * ms, signal);
  expect(second - first).toBeGreaterThanOrEqual(500n * ms);
  expect(await time.picture(80n * ms, 40n * ms, signal)).toBe(second + 40n * ms);
  expect(await time.sound(60n * ms, 81n * ms, signal)).toBe(second + 20n * ms);
  expect(time.epoch).toBe(0);
});

test("a little late is caught up: the times stay those of the film", async () => {
  const clock = simulated();
  const time = createFilmTime(clock);
  time.begin(0n);
  const first = await time.picture(0n, 40n * ms, signal);
  clock.pass(60n * ms);
  expect(await time.picture(40n * ms, 40n * ms, signal)).toBe(first + 40n * ms);
});

test("sound waits for the first picture, however long that takes", async () => {
  const clock = simulated();
  const time = createFilmTime(clock);
  time.begin(1000n * ms); // the film's first time is no zero
  const heard = time.sound(1000n * ms, 1021n * ms, signal);
  clock.pass(300n * ms);
  const first = await time.picture(1000n * ms, 40n * ms, signal);
  expect(await heard).toBe(first);
});

test("the next round begins where this one ends", async () => {
  const time = createFilmTime(simulated());
  time.begin(0n);
  const first = await time.picture(0n, 40n * ms, signal);
  await time.end(40n * ms, signal);
  time.begin(0n);
  expect(await time.picture(0n, 40n * ms, signal)).toBe(first + 40n * ms);
  expect(time.epoch).toBe(1);
});

test("an end from outside is not waited for", async () => {
  const stop = new AbortController();
  const time = createFilmTime();
  time.begin(0n);
  await time.picture(0n, 40n * ms, stop.signal);
  const far = time.picture(9000n * ms, 40n * ms, stop.signal);
  stop.abort();
  await far; // nine seconds, otherwise
  expect(monotonicNs()).toBeLessThan(await time.picture(9000n * ms, 40n * ms, stop.signal));
});
