import { expect, test } from "bun:test";
import { createArrivalClock } from "../src/clock/arrival-clock.ts";
import { arrivalsOf, ms, quartz, second, startNs, wifi } from "./simulated-device.ts";

test("asked like a probed clock: arrivals tell all but the least delay, and no bound is claimed", () => {
  const clock = createArrivalClock({ ticksPerSecond: 10_000_000 });
  const [stream, lagging] = [clock.stream(), clock.stream({ lagNs: 80_000_000n })];
  let before = 0n;
  for (const arrival of arrivalsOf({ seconds: 300, seed: 3, network: wifi, drift: quartz })) {
    if (arrival.kind !== "frame") continue;
    const { captureNs, deviceTicks, arrivalNs } = arrival;
    clock.arrived(deviceTicks, arrivalNs);
    const stamp = stream.map(deviceTicks, arrivalNs);
    const captureTimeNs = stamp.captureTimeNs as bigint;
    expect(stamp.timeErrorNs).toBeUndefined();
    expect(captureTimeNs >= before && captureTimeNs <= arrivalNs).toBe(true);
    before = captureTimeNs;
    const late = lagging.map(deviceTicks, arrivalNs).captureTimeNs as bigint;
    expect(captureTimeNs - late).toBe(80_000_000n);
    if (captureNs < startNs + 60 * second) continue;
    expect(Math.abs(Number(captureTimeNs) - captureNs - 1 * ms)).toBeLessThan(1 * ms);
  }
  expect(clock.state()).toMatchObject({ method: "one-way", errorNs: null, roundTripNs: null });
  expect(clock.state().ratePpm).toBeCloseTo(50, -1);
});

test("a reset is a new epoch, in which a stream's times begin anew", () => {
  const clock = createArrivalClock({ ticksPerSecond: 90_000 });
  const stream = clock.stream();
  const at = (ticks: bigint, arrivalNs: bigint) => {
    clock.arrived(ticks, arrivalNs);
    return stream.map(ticks, arrivalNs);
  };
  expect(at(900_000n, 100_000_000_000n).clockEpoch).toBe(0);
  expect(at(0n, 100_040_000_000n)).toMatchObject({
    captureTimeNs: 100_040_000_000n,
    clockEpoch: 1,
  });
  clock.reset();
  expect(at(1n, 100_080_000_000n).clockEpoch).toBe(2);
});
