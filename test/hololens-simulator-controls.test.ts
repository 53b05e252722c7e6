// What remote configuration answers: the clock, and points as the cameras see them.
//
// To see it fail: in device-clock.ts leave out the drift.
import { expect, test } from "bun:test";
import { encodeCommand, readReply } from "../sensors/hololens/wire/remote-configuration.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { clientOf, simulate } from "./hololens-simulator.ts";

const driftPpm = 50_000;
const simulator = await simulate({ clock: { offsetTicks: 123_456_789_012n, driftPpm } });
const { clock } = simulator.device;

test("the clock: every answer lies between asking and hearing, and drifts", async () => {
  const client = clientOf("remote-configuration");
  const ask = async () => {
    const values = { source: 0 };
    const askedNs = monotonicNs();
    client.send(encodeCommand("currentTime", values));
    const ticks = (await client.read(readReply("currentTime", values))) as bigint;
    const heardNs = monotonicNs();
    expect(ticks).toBeGreaterThanOrEqual(clock.at(askedNs));
    expect(ticks).toBeLessThanOrEqual(clock.at(heardNs));
    return { askedNs, ticks, heardNs };
  };
  const first = await ask();
  let last = await ask();
  while (last.askedNs - first.heardNs < 300_000_000n) last = await ask();
  const ticksNs = Number(last.ticks - first.ticks) * 100;
  expect(ticksNs / Number(last.heardNs - first.askedNs)).toBeLessThanOrEqual(1 + driftPpm * 1e-6);
  expect(ticksNs / Number(last.askedNs - first.heardNs)).toBeGreaterThanOrEqual(
    1 + driftPpm * 1e-6,
  );
  client.close();
});

test("UTC is the clock and the offset that was computed once", async () => {
  const client = clientOf("remote-configuration");
  const values = { source: 1 };
  client.send(encodeCommand("utcOffset", {}), encodeCommand("currentTime", values));
  const offset = (await client.read(readReply("utcOffset", {}))) as bigint;
  const utc = (await client.read(readReply("currentTime", values))) as bigint;
  expect(utc - offset).toBeLessThanOrEqual(clock.ticks());
  expect(offset).toBe(simulator.device.utcOffset);
  client.close();
});

test("points of an image to the plane that the camera sees, and back", async () => {
  const remote = clientOf("remote-configuration");
  const map = async (port: number, operation: number, points: number[][]) => {
    const values = { port, operation, points };
    remote.send(encodeCommand("mapCameraPoints", values));
    return (await remote.read(readReply("mapCameraPoints", values))) as number[][];
  };
  for (const port of [3800, 3801, 3802, 3803, 3804, 3805]) {
    const pixels = [
      [160, 140],
      [200.5, 99.25],
    ];
    const plane = await map(port, 0, pixels);
    const back = await map(port, 1, plane);
    for (const [i, [u = 0, v = 0]] of back.entries()) {
      expect(u).toBeCloseTo(pixels[i]?.[0] as number, 1);
      expect(v).toBeCloseTo(pixels[i]?.[1] as number, 1);
    }
    const lost = [
      [50, 50],
      [Number.NaN, 0],
    ];
    expect(await map(port, 1, lost)).toEqual([
      [-1, -1],
      [-1, -1],
    ]);
    expect(await map(port, 0, [[Number.POSITIVE_INFINITY, 0]])).toEqual([[0, 0]]);
    expect(await map(port, 0, [])).toEqual([]);
  }
  remote.close();
});
