// Clocks that are set, and what only looks like it, on simulated time.
import { describe, expect, test } from "bun:test";
import { createProbeClock } from "../src/clock/probe-clock.ts";
import { after, broken, known, play, type Seen, ticksPerSecond } from "./clock-session.ts";
import { ms, quantile, quartz, second, startNs, wifi, wired } from "./simulated-device.ts";

describe("a clock that was set", () => {
  const at = 100;
  const session = { seconds: 180, drift: quartz, framesPerSecond: 30 };
  const resets = [
    { name: "the device rebooted", reset: { at, toNs: 2 * second } },
    { name: "three seconds ahead", reset: { at, byNs: 3 * second } },
    { name: "three seconds back", reset: { at, byNs: -3 * second } },
  ];
  const steps = [
    { name: "0.1 s ahead", reset: { at, byNs: 100 * ms } },
    { name: "0.1 s back", reset: { at, byNs: -100 * ms } },
  ];

  const epochAt = (seen: Seen[], seconds: number) =>
    seen.findLast(({ captureNs }) => captureNs < seconds * second)?.epoch;

  // To see these fail: let `wasReset` be false always. For wrong stamps: leave out `yetToCome` (ahead)
  // or `ranBackwards` (back) in stream-stamps.ts.
  for (const { name, reset } of resets) {
    test(`${name}: found within 5 s, and until then no frame has a wrong time`, () => {
      for (const network of [wifi, wired]) {
        for (const seed of [1, 2, 3, 4]) {
          const { clock, seen } = play({ ...session, network, seed, reset });
          expect([epochAt(seen, at), epochAt(seen, at + 5), clock.state().epoch]).toEqual([
            0, 1, 1,
          ]);
          expect(broken(seen)).toEqual([]);
          const unknown = seen.filter(({ errorNs }) => Number.isNaN(errorNs));
          expect(unknown.every(({ captureNs }) => captureNs < (at + 5) * second)).toBe(true);
          // No word is better than a bound of minutes.
          expect(Math.max(...known(seen).map(({ boundNs }) => boundNs))).toBeLessThan(50 * ms);
        }
      }
    });
  }

  for (const { name, reset } of steps) {
    test(`${name}: found within 5 s, right from then on`, () => {
      for (const network of [wifi, wired]) {
        for (const seed of [1, 2, 3, 4]) {
          const { seen } = play({ ...session, network, seed, reset });
          expect([epochAt(seen, at), epochAt(seen, at + 5)]).toEqual([0, 1]);
          const wrong = broken(seen).map(({ captureNs }) => captureNs / second);
          expect(wrong.every((when) => when >= at - 0.5 && when < at + 5)).toBe(true);
        }
      }
    });
  }

  // To see it fail: drop the comparison with the newest probe in wasReset.
  test("ticks that ran backwards by less than could be told from offsets", () => {
    const clock = createProbeClock({ ticksPerSecond });
    const probe = (t0Ms: number, deviceMs: number, t3Ms: number) =>
      clock.observe({
        t0Ns: BigInt(t0Ms * ms),
        deviceTicks: BigInt(deviceMs * 10_000),
        t3Ns: BigInt(t3Ms * ms),
      });
    probe(0, 200, 400); // the offset is within 200 ms of 0
    probe(460, 460, 461);
    probe(520, 459, 521);
    expect(clock.state().epoch).toBe(1);
  });

  test("told from outside, nothing is known until the next probe", () => {
    const { clock } = play({ ...session, network: wired, seed: 1 });
    const stream = clock.stream();
    const nowNs = BigInt(startNs + 180 * second);
    expect(stream.map(4_700_000_000n, nowNs).timeErrorNs).toBeDefined();
    clock.reset();
    const unknown = { captureTimeNs: undefined, timeErrorNs: undefined, clockEpoch: 1 };
    expect(stream.map(4_700_000_000n, nowNs)).toEqual(unknown);
    expect(clock.state()).toMatchObject({ offsetNs: null, errorNs: null, probes: 0, epoch: 1 });
    clock.observe({ t0Ns: nowNs, deviceTicks: 7n, t3Ns: nowNs + 4_000_000n });
    expect(stream.map(7n, nowNs + 4_000_000n)).toMatchObject({ clockEpoch: 1 });
    expect(Number(clock.state().errorNs)).toBeCloseTo(2 * ms, -3);
  });
});

describe("what is no reset", () => {
  // To see it fail: drop `rateMax * elapsed` in wasReset.
  test("an hour without a probe, in which the device cooled by 10 ppm", () => {
    const probing = (at: number) => at < 120 || at > 3720;
    const drift = () => (at: number) => (at < 120 ? 50 : 60);
    const { clock, seen } = play({ seconds: 3900, drift, network: wifi, seed: 6, probing });
    expect(clock.state().epoch).toBe(0);
    expect(broken(after(seen, 3740))).toEqual([]);
  });

  test("ten minutes without a probe: the bound grows and holds", () => {
    const probing = (at: number) => at < 120 || at > 720;
    const { clock, seen } = play({ seconds: 900, drift: quartz, network: wifi, seed: 6, probing });
    expect(clock.state().epoch).toBe(0);
    expect(broken(seen)).toEqual([]);
    const boundNs = (at: number) => after(seen, at)[0]?.boundNs as number;
    expect(boundNs(715)).toBeGreaterThan(boundNs(119) + 0.5 * ms);
    expect(boundNs(780)).toBeLessThan(1.3 * ms);
  });

  test("a network that stood still for seconds", () => {
    const heldNs = startNs + 103 * second;
    const isHeld = (timeNs: number) => timeNs > startNs + 100 * second && timeNs < heldNs;
    const { clock, seen } = play(
      { seconds: 200, drift: quartz, network: wifi, seed: 8 },
      (arrival) => {
        if (!isHeld(arrival.timeNs)) return arrival;
        if (arrival.kind === "frame") return { ...arrival, arrivalNs: BigInt(heldNs) };
        return { ...arrival, probe: { ...arrival.probe, t3Ns: BigInt(heldNs) } };
      },
    );
    expect(clock.state().epoch).toBe(0);
    expect(broken(seen)).toEqual([]);
  });

  // As NTP slews this machine's clock. To see it fail: let `stepMaxNs` be 0.
  test("our own clock slewed by 500 ppm for a minute", () => {
    const drift = () => (at: number) => (at >= 120 && at < 180 ? 550 : 50);
    const { clock, seen } = play({ seconds: 400, drift, network: wired, seed: 3 });
    expect(clock.state().epoch).toBe(0);
    expect(Math.max(...after(seen, 115).map(({ errorNs }) => Math.abs(errorNs)))).toBeLessThan(
      3 * ms,
    );
    expect(Math.max(...after(seen, 300).map(({ errorNs }) => Math.abs(errorNs)))).toBeLessThan(
      0.1 * ms,
    );
    expect(broken(after(seen, 190))).toEqual([]);
  });

  // To see it fail: let `intersect` go on after a contradiction instead of ending there.
  test("a device that warms up by 40 ppm in ten minutes", () => {
    const drift = () => (at: number) => 50 - 40 * Math.min(1, at / 600);
    const { clock, seen } = play({ seconds: 900, drift, network: wired, seed: 4 });
    expect(clock.state().epoch).toBe(0);
    const errors = after(seen, 60).map(({ errorNs }) => Math.abs(errorNs));
    expect(quantile(errors, 0.99)).toBeLessThan(0.1 * ms);
    expect(broken(seen)).toEqual([]);
  });
});
