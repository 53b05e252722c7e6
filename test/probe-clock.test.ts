// On simulated time: an hour passes in a moment, and what is true is known.
import { describe, expect, test } from "bun:test";
import { createProbeClock } from "../src/clock/probe-clock.ts";
import { after, broken, known, play } from "./clock-session.ts";
import {
  bare,
  ms,
  quantile,
  quartz,
  swinging,
  wifi,
  wifiSlowUp,
  wired,
} from "./simulated-device.ts";

// To see these fail: in probe-filter.ts take the newest mark's middle for the common one (p99), let
// `growth` be 0 (bound broken), or let it be `rateMax` (too wide).
describe("an hour, with an error bar on every frame", () => {
  const networks = [
    { name: "Wi-Fi", network: wifi, p99Ns: 0.3 * ms },
    { name: "Wi-Fi, 2 ms slower upwards", network: wifiSlowUp, p99Ns: 1.3 * ms },
    { name: "wired", network: wired, p99Ns: 0.1 * ms },
    { name: "nothing but jitter", network: bare, p99Ns: 0.3 * ms },
  ];
  const drifts = { "quartz that wanders": quartz, "quartz that swings": swinging };
  for (const { name, network, p99Ns } of networks) {
    for (const [words, drift] of Object.entries(drifts)) {
      test(`${name}, ${words}`, () => {
        for (const seed of [1, 2]) {
          const { clock, seen } = play({ seconds: 3600, seed, network, drift });
          expect(broken(seen)).toEqual([]);
          const settled = after(seen, 60);
          const errors = settled.map(({ errorNs }) => Math.abs(errorNs));
          expect(quantile(errors, 0.99)).toBeLessThanOrEqual(p99Ns);
          const excess = settled.map((frame) => frame.boundNs - frame.leastRoundTripNs / 2);
          expect(Math.max(...excess)).toBeLessThanOrEqual(0.2 * ms);
          expect(clock.state().epoch).toBe(0);
          expect(known(seen).length).toBeGreaterThan(0.999 * seen.length);
        }
      });
    }
  }
});

// To see it fail: let `fewPoints` be 0.
test("bursts that fail, so that a line goes through three or four points", () => {
  const probing = (at: number) => at % 16 === 0;
  for (let seed = 1; seed <= 100; seed++) {
    const session = { seconds: 90, seed, network: bare, drift: quartz, probing };
    expect(broken(play(session).seen)).toEqual([]);
  }
});

// To see it fail: let a slope count from four seconds on (`slopeSpanNs`), with `fewPoints` 0.
test("the first minute of many sessions: no bound is broken while little is known", () => {
  for (const network of [wifi, wifiSlowUp, wired, bare]) {
    for (let seed = 1; seed <= 150; seed++) {
      const { seen } = play({ seconds: 60, seed, network, drift: seed % 2 ? quartz : swinging });
      expect(broken(seen)).toEqual([]);
    }
  }
});

// To see it fail: leave out `tickNs` in stream-stamps.ts or in probe-filter.ts.
test("a clock that ticks once a millisecond", () => {
  const clock = createProbeClock({ ticksPerSecond: 1000 });
  clock.observe({ t0Ns: 5_000_000n, deviceTicks: 5n, t3Ns: 5_000_000n }); // it was 5 to 6 ms
  expect(clock.state()).toMatchObject({ offsetNs: -500_000n, errorNs: 500_000n });
  const session = { seconds: 300, seed: 4, network: wired, drift: quartz, ticksPerSecond: 1000 };
  expect(broken(play(session).seen)).toEqual([]);
});
