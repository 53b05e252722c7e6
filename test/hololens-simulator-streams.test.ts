// What flows: pace and stamps on the device's clock, poses, IMU, head, hands and gaze.
//
// To see it fail: in streaming.ts stamp with `clock.ticks()`, or take `frame + 1` always.
import { expect, test } from "bun:test";
import { cameraPoseAt, rigPoseAt } from "../sensors/hololens/simulator/world/motion.ts";
import { optionKeys } from "../sensors/hololens/wire/codes.ts";
import { secondsOf } from "../sensors/hololens/wire/device-time.ts";
import { eyeTrackerBits, eyeTrackerReading } from "../sensors/hololens/wire/eye-tracker.ts";
import { parseImu } from "../sensors/hololens/wire/imu.ts";
import type { Packet } from "../sensors/hololens/wire/packet.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { viewOf } from "../sensors/hololens/wire/record.ts";
import { encodeCommand, readReply } from "../sensors/hololens/wire/remote-configuration.ts";
import {
  spatialInput,
  spatialInputBits,
  validBitsOf,
} from "../sensors/hololens/wire/spatial-input.ts";
import { splitVideo } from "../sensors/hololens/wire/video-payload.ts";
import {
  clientOf,
  type StreamClient,
  simulate,
  startCamera,
  stream,
} from "./hololens-simulator.ts";
import { until } from "./rings.ts";

const driftPpm = 50_000;
const simulator = await simulate({ clock: { offsetTicks: 123_456_789_012n, driftPpm } });
const { clock } = simulator.device;

async function packetsOf(client: StreamClient<StreamFamily>, count: number): Promise<Packet[]> {
  const packets: Packet[] = [];
  while (packets.length < count) {
    const packet = await client.packet();
    if (!packet) throw new Error("the stream ended");
    // Nothing is stamped before it happened.
    expect(packet.timestamp).toBeLessThanOrEqual(clock.ticks());
    packets.push(packet);
  }
  client.close();
  return packets;
}

/** Two packets that follow each other: what a machine that stands still for long is late with is left out. */
async function neighbours(
  client: StreamClient<StreamFamily>,
  periodTicks: bigint,
): Promise<[Packet, Packet]> {
  let before: Packet | null = null;
  for (;;) {
    const packet = await client.packet();
    if (!packet) throw new Error("the stream ended");
    if (before && packet.timestamp - before.timestamp === periodTicks) {
      client.close();
      return [before, packet];
    }
    before = packet;
  }
}

const paces: [name: StreamName, periodTicks: number, count: number][] = [
  ["accelerometer", 850_000, 8],
  ["gyroscope", 480_000, 10],
  ["magnetometer", 2_200_000, 4],
  ["spatial-input", 1e7 / 30, 15],
  ["eye-tracker", 1e7 / 30, 15],
  ["microphone", (1024 / 48000) * 1e7, 20],
];

test("every packet is stamped with its frame's instant, one period after the other", async () => {
  const streams = paces.map(([name, , count]) => packetsOf(stream(name), count));
  for (const [i, packets] of (await Promise.all(streams)).entries()) {
    const [name, period] = paces[i] as (typeof paces)[number];
    const frames = packets.map(({ timestamp }) => Number(timestamp) / period);
    for (const frame of frames)
      expect(Math.abs(frame - Math.round(frame)) * period).toBeLessThan(1);
    const steps = frames.slice(1).map((frame, at) => Math.round(frame - (frames[at] as number)));
    // A machine that stands still for long may make it leave some out, never send one twice.
    expect([name, Math.min(...steps)]).toEqual([name, 1]);
  }
});

test("the eye tracker's rate is the one asked for", async () => {
  const packets = await packetsOf(stream<"eye-tracker">("eye-tracker", { fps: 90 }), 10);
  const steps = packets
    .slice(1)
    .map((one, i) => Number(one.timestamp - (packets[i] as Packet).timestamp));
  expect(Math.min(...steps)).toBeGreaterThan(111_000);
  expect(Math.min(...steps)).toBeLessThan(112_000);
});

test("poses of packets are those that remote configuration answers for their stamps", async () => {
  const [packet] = await packetsOf(stream("gyroscope"), 1);
  if (!packet?.pose) throw new Error("no pose");
  const client = clientOf("remote-configuration");
  const values = { timestamps: [packet.timestamp, packet.timestamp + 5_000_000n] };
  client.send(encodeCommand("rigNodePoses", values));
  const [then, later] = (await client.read(readReply("rigNodePoses", values))) as Float32Array[];
  for (let i = 0; i < 16; i++) expect(then?.[i]).toBeCloseTo(packet.pose[i] as number, 4);
  expect(later).not.toEqual(then as Float32Array);
  client.close();
});

test("personal video's pose is the camera's", async () => {
  await startCamera();
  const asked = { width: 424, height: 240, framerate: 15 };
  const [packet] = await packetsOf(stream<"pv">("pv", asked), 1);
  if (!packet?.pose) throw new Error("no pose");
  const seconds = secondsOf(packet.timestamp);
  const [own, rig] = [cameraPoseAt("pv", seconds), rigPoseAt(seconds)];
  for (let i = 0; i < 16; i++) expect(packet.pose[i]).toBeCloseTo(own[i] as number, 4);
  expect(Math.abs((own[12] as number) - (rig[12] as number))).toBeGreaterThan(0.001);
});

test("personal video's footers show what remote configuration has set", async () => {
  await startCamera();
  const remote = clientOf("remote-configuration");
  remote.send(
    encodeCommand("pvFocus", { mode: 3, range: 0, distance: 0, value: 777, driverFallback: 0 }),
    encodeCommand("pvExposure", { mode: 0, value: 12_345 }),
    encodeCommand("pvIsoSpeed", { mode: 0, value: 1600 }),
    encodeCommand("pvWhiteBalanceValue", { value: 100 }),
    encodeCommand("pvStatus", {}),
  );
  await remote.read(readReply("pvStatus", {}));
  remote.close();
  const asked = { width: 424, height: 240, framerate: 15, profile: 255 };
  const [packet] = await packetsOf(stream<"pv">("pv", asked), 1);
  const video = splitVideo(packet?.payload ?? new Uint8Array(0), "pv");
  expect(video?.footer).toMatchObject({
    ...{ lensPosition: 777, exposureTime: 123_450n, isoSpeed: 1600, whiteBalance: 2500 },
    ...{ width: 424, height: 240 },
  });
});

test("mode 0 has no pose", async () => {
  const packets = await packetsOf(stream<"imu">("accelerometer", { mode: 0 }), 3);
  expect(packets.map(({ pose }) => pose)).toEqual([null, null, null]);
});

test("IMU: as many samples as usual, gravity, times without gaps", async () => {
  const [one, two] = await neighbours(stream("accelerometer"), 850_000n);
  const samples = [...parseImu(one.payload.slice()), ...parseImu(two.payload.slice())];
  expect(samples.length).toBe(186);
  const [first, last] = [samples[0], samples.at(-1)];
  expect(last?.socTicks).toBe(two.timestamp);
  for (const { xyz } of samples) {
    const felt = Math.hypot(...xyz);
    expect(felt).toBeGreaterThan(9);
    expect(felt).toBeLessThan(10.7);
  }
  const steps = samples
    .slice(1)
    .map(({ socTicks }, i) => Number(socTicks - (samples[i]?.socTicks ?? 0n)));
  expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
  expect((last?.sensorTicks ?? 0n) - (first?.sensorTicks ?? 0n)).toBe(
    100n * ((last?.socTicks ?? 0n) - (first?.socTicks ?? 0n)),
  );
});

test("IMU: the other two", async () => {
  const [gyroscope] = await packetsOf(stream("gyroscope"), 1);
  const [magnetometer] = await packetsOf(stream("magnetometer"), 1);
  expect(gyroscope?.payload.byteLength).toBe(315 * 32);
  expect(magnetometer?.payload.byteLength).toBe(11 * 32);
});

test("spatial input: unit vectors, hands that come and go, what is not seen stays as it was", async () => {
  const { head, eyeRay, handLeft, handRight } = spatialInputBits;
  const wanted = [head | eyeRay | handLeft | handRight, head | eyeRay | handRight, head];
  const seen = new Set<number>();
  const client = stream("spatial-input");
  let before = spatialInput.read(new DataView(new ArrayBuffer(spatialInput.bytes)), 0);
  // A round of the world, 120 packets; another where the machine stood still while there was no eye to be seen.
  const isWhole = () => wanted.every((bits) => seen.has(bits));
  for (let i = 0; i < 125 || (i < 1200 && !isWhole()); i++) {
    const payload = (await client.packet())?.payload ?? new Uint8Array(0);
    const input = spatialInput.parse(payload.slice(), "spatial input");
    expect(validBitsOf(viewOf(payload))).toBe(input.valid);
    seen.add(input.valid);
    if (input.valid & head) expect(Math.hypot(...input.headForward)).toBeCloseTo(1, 4);
    if (input.valid & eyeRay) expect(Math.hypot(...input.eyeDirection)).toBeCloseTo(1, 4);
    if (input.valid & handLeft) {
      for (const { orientation } of input.handLeft) {
        expect(Math.hypot(...orientation)).toBeCloseTo(1, 4);
      }
      expect(input.handLeft).not.toEqual(before.handLeft);
    } else expect(input.handLeft).toEqual(before.handLeft);
    before = input;
  }
  client.close();
  for (const bits of wanted) expect(seen).toContain(bits);
}, 120_000);

test("eye tracker: rays of both eyes, nothing of what the device does not fill", async () => {
  const [packet] = await packetsOf(stream("eye-tracker"), 1);
  if (!packet) throw new Error("no packet");
  const reading = eyeTrackerReading.parse(packet.payload, "eye tracker");
  const { calibration, combined, left } = eyeTrackerBits;
  expect(reading.valid & (calibration | combined | left)).toBe(calibration | combined | left);
  expect(reading.valid >> 4).toBe(0);
  expect(Math.hypot(...reading.combinedDirection)).toBeCloseTo(1, 4);
  expect(packet.pose?.[15]).toBe(1);
});

test("the grey cameras' stamps are moved as the client asks", async () => {
  const period = 1e7 / 30;
  const at = async (offset: bigint) => {
    const options = [{ key: optionKeys.clockOffset, value: BigInt.asUintN(64, offset) }];
    const [packet] = await packetsOf(stream<"vlc">("vlc-leftfront", { options }), 1);
    return Number((packet?.timestamp ?? 0n) - offset) / period;
  };
  for (const offset of [0n, -125_000n, -77n]) {
    const frame = await at(offset);
    expect(Math.abs(frame - Math.round(frame)) * period).toBeLessThan(1);
  }
});

test("a client that does not read: sends wait, and go on with the newest frame", async () => {
  await startCamera();
  const asked = { width: 1280, height: 720, framerate: 30, profile: 255 };
  const client = stream<"pv">("pv", asked);
  const first = await client.packet();
  client.pause();
  // The network's memory grows for a while: it counts from when no more goes into it.
  let freeTicks = clock.ticks();
  await until(() => {
    if (!simulator.connections("pv").isBlocked) freeTicks = clock.ticks();
    return clock.ticks() - freeTicks > 5_000_000n;
  });
  const resumedTicks = clock.ticks();
  client.resume();
  const stamps = [first?.timestamp ?? 0n];
  while ((stamps.at(-1) as bigint) < resumedTicks) {
    stamps.push((await client.packet())?.timestamp ?? resumedTicks);
  }
  const steps = stamps.slice(1).map((stamp, i) => Number(stamp - (stamps[i] as bigint)));
  expect(Math.max(...steps)).toBeGreaterThan(4_000_000);
  client.close();
});
