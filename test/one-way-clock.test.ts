// On simulated time: an hour passes in a moment, and what is true is known.
import { describe, expect, test } from "bun:test";
import { createOneWayClock } from "../src/clock/one-way-clock.ts";

const ms = 1_000_000;
const second = 1000 * ms;

/** Mulberry32: the same noise in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The Wi-Fi of the measurements: 1 ms and exponentially distributed 3 ms, 5 % spikes of 20 to 100 ms. */
function wifi(next: () => number): number {
  const spike = next() < 0.05 ? (20 + 80 * next()) * ms : 0;
  return 1 * ms - Math.log(1 - next()) * 3 * ms + spike;
}

interface Sent {
  captureNs: number;
  deviceNs: bigint;
  arrivalNs: bigint;
}

/** Frames of a camera whose clock began at `deviceStartNs` and runs slow by `ppm` and a wander of 1 ppm. */
function* camera(options: {
  seconds: number;
  ppm: number;
  seed: number;
  startNs?: number;
  deviceStartNs?: number;
}): Generator<Sent> {
  const next = random(options.seed);
  const startNs = options.startNs ?? 1000 * second;
  let deviceNs = options.deviceStartNs ?? 0;
  let arrivalNs = 0;
  for (let i = 0; i < options.seconds * 25; i++) {
    const wander = Math.sin(i / 25 / 300) * 1e-6;
    const captureNs = startNs + i * 40 * ms;
    arrivalNs = Math.max(arrivalNs, captureNs + wifi(next)); // TCP: none overtakes another
    yield {
      captureNs,
      deviceNs: BigInt(Math.round(deviceNs)),
      arrivalNs: BigInt(Math.round(arrivalNs)),
    };
    deviceNs += 40 * ms * (1 - options.ppm * 1e-6 + wander);
  }
}

const quantile = (values: number[], q: number) =>
  values.sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number;

describe("the lower envelope", () => {
  for (const ppm of [0, 50, -120]) {
    test(`an hour of Wi-Fi with ${ppm} ppm: only the least delay is left as error`, () => {
      const clock = createOneWayClock();
      const errors: number[] = [];
      let before = 0n;
      for (const { captureNs, deviceNs, arrivalNs } of camera({ seconds: 3600, ppm, seed: 7 })) {
        clock.observe(deviceNs, arrivalNs);
        const mapped = clock.captureTimeNs(deviceNs, arrivalNs);
        expect(mapped <= arrivalNs).toBe(true);
        expect(mapped >= before).toBe(true);
        before = mapped;
        if (captureNs > 1060 * second) errors.push(Math.abs(Number(mapped) - captureNs - 1 * ms));
      }
      expect(quantile(errors, 0.5)).toBeLessThan(0.1 * ms);
      expect(quantile(errors, 0.99)).toBeLessThan(0.3 * ms);
      expect(clock.state.epoch).toBe(0);
      expect(Math.abs((clock.state.ratePpm as number) - ppm)).toBeLessThan(5);
    });
  }

  test("intervals between frames stay what they were, whatever the network does", () => {
    const clock = createOneWayClock();
    let before: bigint | null = null;
    for (const { captureNs, deviceNs, arrivalNs } of camera({ seconds: 120, ppm: 50, seed: 3 })) {
      clock.observe(deviceNs, arrivalNs);
      const mapped = clock.captureTimeNs(deviceNs, arrivalNs);
      if (before !== null && captureNs > 1010 * second) {
        expect(Math.abs(Number(mapped - before) - 40 * ms)).toBeLessThan(1 * ms);
      }
      before = mapped;
    }
  });

  test("a path that becomes 20 ms longer is followed slowly, and never backwards", () => {
    const clock = createOneWayClock();
    let before = 0n;
    let longest = 0n;
    for (const { captureNs, deviceNs, arrivalNs } of camera({ seconds: 300, ppm: 0, seed: 5 })) {
      const late = arrivalNs + (captureNs > 1100 * second ? BigInt(20 * ms) : 0n);
      clock.observe(deviceNs, late);
      const mapped = clock.captureTimeNs(deviceNs, late);
      if (before > 0n && mapped - before > longest) longest = mapped - before;
      expect(mapped >= before).toBe(true);
      before = mapped;
    }
    expect(Number(longest)).toBeLessThan(42 * ms);
    const { offsetNs } = clock.state;
    expect(Math.abs(Number(offsetNs) - (1000 * second + 21 * ms))).toBeLessThan(1 * ms);
  });
});

describe("a device that begins anew", () => {
  const settled = () => {
    const clock = createOneWayClock();
    let end = { deviceNs: 0n, arrivalNs: 0n };
    for (const { deviceNs, arrivalNs } of camera({
      seconds: 20,
      ppm: 0,
      seed: 9,
      deviceStartNs: 100 * second,
    })) {
      clock.observe(deviceNs, arrivalNs);
      end = { deviceNs, arrivalNs };
    }
    expect(clock.state.epoch).toBe(0);
    return { clock, ...end };
  };
  const step = BigInt(40 * ms);
  const seconds = (n: number) => BigInt(n * second);

  test("ticks that run backwards are a new epoch at once", () => {
    const { clock, arrivalNs } = settled();
    clock.observe(0n, arrivalNs + step);
    expect(clock.state.epoch).toBe(1);
    expect(clock.captureTimeNs(0n, arrivalNs + step)).toBe(arrivalNs + step);
  });

  test("ticks that jump ahead by more than a second are a new epoch at once", () => {
    const { clock, deviceNs, arrivalNs } = settled();
    clock.observe(deviceNs + seconds(3), arrivalNs + step);
    expect(clock.state.epoch).toBe(1);
  });

  test("ticks that stood still for three seconds are a new epoch once five seconds have confirmed it", () => {
    const { clock, deviceNs, arrivalNs } = settled();
    for (let i = 1n; i * step <= seconds(4); i++) {
      clock.observe(deviceNs + i * step, arrivalNs + seconds(3) + i * step);
    }
    expect(clock.state.epoch).toBe(0);
    for (let i = 101n; i * step <= seconds(6); i++) {
      clock.observe(deviceNs + i * step, arrivalNs + seconds(3) + i * step);
    }
    expect(clock.state.epoch).toBe(1);
  });

  test("a network that stood still for three seconds is not", () => {
    const { clock, deviceNs, arrivalNs } = settled();
    for (let i = 1n; i <= 250n; i++) {
      const sentNs = arrivalNs + i * step;
      const heldUntil = arrivalNs + seconds(3);
      clock.observe(deviceNs + i * step, sentNs < heldUntil ? heldUntil : sentNs);
    }
    expect(clock.state.epoch).toBe(0);
  });

  test("pictures sent in the order of decoding are not", () => {
    const { clock, deviceNs, arrivalNs } = settled();
    for (const [ahead, after] of [
      [3n, 1n],
      [1n, 2n],
      [2n, 3n],
      [6n, 4n],
    ] as const) {
      clock.observe(deviceNs + ahead * step, arrivalNs + after * step);
    }
    expect(clock.state.epoch).toBe(0);
  });
});

test("a server that begins with ten seconds of old frames at once is stamped from the newest on", () => {
  const clock = createOneWayClock();
  const step = BigInt(40 * ms);
  const nowNs = BigInt(1000 * second);
  for (let i = 0n; i < 250n; i++) clock.observe(i * step, nowNs + i);
  expect(clock.state.epoch).toBe(0);
  const live = 250n * step;
  clock.observe(live, nowNs + step);
  expect(clock.captureTimeNs(live, nowNs + step)).toBeGreaterThan(nowNs);
});

test("without a sample the arrival is all that is known", () => {
  const clock = createOneWayClock();
  expect(clock.state.offsetNs).toBeNull();
  expect(clock.captureTimeNs(5n, 77n)).toBe(77n);
});
