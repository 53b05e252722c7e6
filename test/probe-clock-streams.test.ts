// What a stream's frames are stamped with.
import { describe, expect, test } from "bun:test";
import { createFollowedClock, createProbeClock } from "../src/clock/probe-clock.ts";
import { known, play, ticksPerSecond } from "./clock-session.ts";
import { arrivalsOf, ms, quartz, random, second, wifi } from "./simulated-device.ts";

describe("a stream's times", () => {
  const settled = (options: { ticksPerSecond: number; deviceStart: bigint; lagNs?: bigint }) => {
    const { ticksPerSecond, deviceStart, lagNs } = options;
    const clock = createProbeClock({ ticksPerSecond });
    const nowNs = 10n ** 18n; // long after the boot: no double holds its ns
    for (let i = 0n; i < 8n; i++) {
      const deviceTicks = deviceStart + (i * BigInt(ticksPerSecond)) / 20n;
      const atNs = nowNs + i * 50_000_000n;
      clock.observe({ t0Ns: atNs - 1000n, deviceTicks, t3Ns: atNs + 1000n });
    }
    clock.settle();
    return { nowNs, stream: clock.stream({ lagNs }), clock };
  };

  // To see it fail: let `slewNs` and `slewMax` of timeline.ts be 1.
  test("keep their distance while the clock learns: never 0.6 % more or less", () => {
    const session = { seconds: 120, framesPerSecond: 25, drift: quartz, network: wifi, seed: 12 };
    const { seen } = play(session);
    const stamped = known(seen);
    for (const [i, { captureNs, errorNs }] of stamped.entries()) {
      const before = stamped[i - 1];
      if (!before) continue;
      const trueNs = captureNs - before.captureNs;
      expect(Math.abs(errorNs - before.errorNs)).toBeLessThan(0.006 * trueNs);
    }
  });

  // As both rings of one depth packet. To see it fail: let a piece begin at `deviceNs` in timeline.ts.
  test("are the same for one device time, whichever stream asks and whenever", () => {
    const clock = createProbeClock({ ticksPerSecond });
    const first = clock.stream();
    let latest: { deviceTicks: bigint; captureTimeNs: bigint | undefined } | null = null;
    const session = { seconds: 60, framesPerSecond: 200, drift: quartz, network: wifi, seed: 9 };
    for (const arrival of arrivalsOf(session)) {
      if (arrival.kind === "frame") {
        const { deviceTicks, arrivalNs } = arrival;
        const { captureTimeNs } = first.map(deviceTicks, arrivalNs);
        latest = { deviceTicks, captureTimeNs };
        continue;
      }
      clock.observe(arrival.probe);
      if (!arrival.settle || !latest) continue;
      clock.settle();
      const muchLaterNs = arrival.probe.t3Ns + 1_000_000_000n;
      const again = clock.stream().map(latest.deviceTicks, muchLaterNs);
      expect(again.captureTimeNs).toBe(latest.captureTimeNs);
    }
  });

  for (const ticksPerSecond of [10_000_000, 1_000_000_000, 90_000, 44_100]) {
    test(`are exact to a tick with ${ticksPerSecond} ticks a second, however large the ticks`, () => {
      for (const deviceStart of [0n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
        const { nowNs, stream } = settled({ ticksPerSecond, deviceStart });
        const tickNs = Math.ceil(1e9 / ticksPerSecond);
        const ticks = deviceStart + BigInt(ticksPerSecond) / 4n;
        const { captureTimeNs, timeErrorNs } = stream.map(ticks, nowNs + 10n ** 9n);
        const error = Math.abs(Number((captureTimeNs as bigint) - nowNs) - 250e6);
        expect(error).toBeLessThanOrEqual(1000 + 2 * tickNs);
        expect(Number(timeErrorNs)).toBeLessThan(100_000 + 3 * tickNs);
      }
    });
  }

  test("lie the stated lag before the stamp", () => {
    const ticks = { ticksPerSecond: 10_000_000, deviceStart: 77n };
    const { nowNs, stream } = settled(ticks);
    const late = settled({ ...ticks, lagNs: 80_000_000n }).stream;
    const at = (clock: typeof stream) => clock.map(77n, nowNs + 10n ** 9n).captureTimeNs as bigint;
    expect(at(stream) - at(late)).toBe(80_000_000n);
  });

  test("of frames that overtook each other stay in order, and the bound says what that costs", () => {
    const { nowNs, stream } = settled({ ticksPerSecond: 1_000_000_000, deviceStart: 0n });
    const arrivalNs = nowNs + 10n ** 9n;
    const first = stream.map(300_000_000n, arrivalNs);
    const older = stream.map(200_000_000n, arrivalNs);
    expect(older.captureTimeNs).toBe(first.captureTimeNs);
    expect(Number(older.timeErrorNs)).toBeGreaterThan(100 * ms);
  });

  test("are unknown before the first probe, and unknown where they would lie ahead", () => {
    let doubts = 0;
    const clock = createProbeClock({ ticksPerSecond, doubt: () => doubts++ });
    const stream = clock.stream();
    expect(stream.map(5n, 100n).captureTimeNs).toBeUndefined();
    expect(clock.state().offsetNs).toBeNull();
    clock.observe({ t0Ns: 0n, deviceTicks: 0n, t3Ns: 1000n });
    expect(stream.map(10_000_000n, 5000n).captureTimeNs).toBeUndefined();
    expect(doubts).toBe(1);
  });

  // To see it fail: let `probedNs` of a piece be `answeredNs`.
  test("are in doubt until a probe is answered that was asked after the doubt", () => {
    const clock = createProbeClock({ ticksPerSecond });
    const stream = clock.stream();
    const probe = (t0Ms: number, deviceMs: number, t3Ms: number) => {
      const [t0Ns, t3Ns] = [BigInt(t0Ms * ms), BigInt(t3Ms * ms)];
      clock.observe({ t0Ns, deviceTicks: BigInt(deviceMs * 10_000), t3Ns });
      clock.settle();
    };
    const captureAt = (deviceMs: number, arrivalMs: number) =>
      stream.map(BigInt(deviceMs * 10_000), BigInt(arrivalMs * ms)).captureTimeNs;
    probe(5000, 5000, 5001);
    expect(captureAt(5010, 5020)).toBeDefined();
    expect(captureAt(1, 5030)).toBeUndefined(); // it rebooted
    probe(5022, 5023, 5040); // read before that
    expect(captureAt(2, 5041)).toBeUndefined();
    probe(5050, 20, 5051);
    expect(captureAt(21, 5053)).toBeDefined();
    expect(clock.state().epoch).toBe(1);
  });

  test("are the same in every process that follows the one that probes", () => {
    const followed = createFollowedClock({ ticksPerSecond });
    const clock = createProbeClock({
      ticksPerSecond,
      news: (news) => followed.tell(structuredClone(news)),
    });
    const [ours, theirs] = [clock.stream(), followed.stream()];
    const reset = { at: 40, toNs: 5 * second };
    const session = { seconds: 60, drift: quartz, network: wifi, seed: 2, reset };
    for (const arrival of arrivalsOf(session)) {
      if (arrival.kind === "probe") {
        clock.observe(arrival.probe);
        if (arrival.settle) clock.settle();
      } else {
        const { deviceTicks, arrivalNs } = arrival;
        expect(theirs.map(deviceTicks, arrivalNs)).toEqual(ours.map(deviceTicks, arrivalNs));
      }
    }
    expect(clock.state().epoch).toBe(1);
  });

  test("a probe that was answered before it was asked is refused", () => {
    const clock = createProbeClock({ ticksPerSecond });
    const probe = { t0Ns: 2n, deviceTicks: 0n, t3Ns: 1n };
    expect(() => clock.observe(probe)).toThrow("answered 1 ns before it was asked");
  });
});

test("a device that answers nonsense harms nothing but its own times", () => {
  const next = random(77);
  const clock = createProbeClock({ ticksPerSecond });
  const stream = clock.stream();
  const anyTicks = () =>
    BigInt.asUintN(64, BigInt(Math.floor(next() * 2 ** 53)) << BigInt(Math.floor(next() * 12)));
  let nowNs = 1_000_000_000n;
  let ticks = 0n;
  for (let i = 0; i < 5000; i++) {
    ticks = next() < 0.1 ? anyTicks() : ticks + BigInt(Math.floor(next() * 1e6));
    const t0Ns = nowNs;
    nowNs += BigInt(Math.floor(next() * 1e8));
    clock.observe({ t0Ns, deviceTicks: ticks, t3Ns: nowNs });
    if (next() < 0.2) clock.settle();
    const { captureTimeNs, timeErrorNs } = stream.map(next() < 0.5 ? ticks : anyTicks(), nowNs);
    expect(captureTimeNs === undefined).toBe(timeErrorNs === undefined);
    expect((captureTimeNs ?? 0n) <= nowNs).toBe(true);
    expect((timeErrorNs ?? 0n) >= 0n).toBe(true);
    expect(Number.isFinite(clock.state().ratePpm)).toBe(true);
  }
});
