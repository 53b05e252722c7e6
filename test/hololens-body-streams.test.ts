/**
 * Motion, head, hands and gaze from payload to ring.
 *
 * To see it fail: publish `payload` in streams/spatial-input.ts instead of the arranged record.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { eyeTrackerReceiving } from "../sensors/hololens/streams/eye-tracker.ts";
import { imuReceiving } from "../sensors/hololens/streams/imu.ts";
import { spatialInputReceiving } from "../sensors/hololens/streams/spatial-input.ts";
import { eyeTrackerReading } from "../sensors/hololens/wire/eye-tracker.ts";
import { encodeImu, type ImuSample, parseImu } from "../sensors/hololens/wire/imu.ts";
import { type SpatialInput, spatialInput } from "../sensors/hololens/wire/spatial-input.ts";
import type { Dtype } from "../src/ring/descriptor.ts";
import { elementCount, itemSize } from "../src/ring/descriptor.ts";
import { type Published, StreamRig } from "./hololens-streams-rig.ts";

let rig: StreamRig;
afterEach(() => rig.close());

/** Where a member of a record stands, as NumPy lays it out. */
function member(dtype: Dtype, name: string): { at: number; count: number } {
  let at = 0;
  for (const entry of dtype as [string, string, number[]?][]) {
    const [known, type, shape] = entry;
    const count = elementCount(shape ?? []);
    if (known === name) return { at, count };
    at += itemSize(type) * count;
  }
  throw new Error(`no member ${name}`);
}

function floatsOf(bytes: Uint8Array, dtype: Dtype, name: string): number[] {
  const { at, count } = member(dtype, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  return Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

function descriptorOf(ring: string) {
  const writer = rig.writers.get(ring);
  if (!writer) throw new Error(`no ring ${ring}`);
  return writer.descriptor;
}

/** What one packet published. */
function onlyOf(published: Published[]): Published {
  const [frame, ...more] = published;
  if (!frame || more.length > 0) throw new Error(`${published.length} frames`);
  return frame;
}

const located = Float32Array.of(0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 1, 2, 3, 1);

describe("accelerometer, gyroscope, magnetometer", () => {
  const sample = (i: number, socTicks: bigint): ImuSample => ({
    sensorTicks: 1000n * BigInt(i),
    socTicks,
    xyz: [i, -i, 0.5],
    temperature: 20 + i,
  });

  test("batches of any number of samples, byte by byte; device time is the first sample's", async () => {
    rig = new StreamRig({ stream: "gyroscope" });
    await rig.open(imuReceiving);
    for (const count of [1, 315, 2048]) {
      const start = 10_000n * BigInt(count);
      const samples = Array.from({ length: count }, (_, i) => sample(i, start + BigInt(i)));
      const payload = encodeImu(samples);
      const frame = onlyOf(rig.take(payload, start + 7n, located));
      expect(frame.bytes).toEqual(payload);
      expect(frame.shape).toEqual([count]);
      expect(frame.deviceTime).toBe(start);
      expect(frame.fields).toMatchObject({ packet_time: start + 7n, pose_valid: 1 });
      expect(frame.fields.pose).toEqual([...located]);
    }
    const { dtype, units } = descriptorOf("hl.gyroscope");
    expect(itemSize(dtype)).toBe(32);
    expect(units).toBe("deg/s");
    expect(new Set(rig.published.map(({ generation }) => generation)).size).toBe(1);
  });

  test("samples of one time get theirs from the sensor's own clock; older batches are left out", async () => {
    rig = new StreamRig({ stream: "accelerometer" });
    await rig.open(imuReceiving);
    const same = encodeImu([0, 1, 2].map((i) => sample(i, 500n)));
    const frame = onlyOf(rig.take(same, 500n));
    expect(parseImu(frame.bytes).map(({ socTicks }) => socTicks)).toEqual([500n, 510n, 520n]);
    expect(rig.take(encodeImu([sample(0, 400n)]), 400n)).toEqual([]);
    expect(rig.context.counters.outOfOrder).toBe(1);
    rig.receiver.begin(); // the headset may have been started anew
    expect(rig.take(encodeImu([sample(0, 40n)]), 40n)).toHaveLength(1);
  });
});

describe("spatial input", () => {
  const joint = (hand: number, i: number) => ({
    orientation: [hand + i, 1, 2, 3],
    position: [hand - i, 4, 5],
    radius: i / 64,
    accuracy: i % 2,
  });
  const hand = (base: number) => Array.from({ length: 26 }, (_, i) => joint(base, i));
  const reading: SpatialInput = {
    valid: 0xf,
    headPosition: [1, 2, 3],
    headForward: [0, 0, -1],
    headUp: [0, 1, 0],
    eyeOrigin: [4, 5, 6],
    eyeDirection: [0, 1, 0],
    handLeft: hand(100),
    handRight: hand(200),
  };

  test("one record, each member of all joints together", async () => {
    rig = new StreamRig({ stream: "spatial-input" });
    await rig.open(spatialInputReceiving);
    const payload = spatialInput.encode(reading);
    // At an odd place in memory, as sockets give it.
    const frame = onlyOf(rig.take(new Uint8Array([0, ...payload]).subarray(1), 9n));
    const { dtype } = descriptorOf("hl.spatial-input");
    const read = (name: string) => floatsOf(frame.bytes, dtype, name);
    expect(itemSize(dtype)).toBe(1936);
    expect(frame.shape).toEqual([]);
    expect(read("head_position")).toEqual([1, 2, 3]);
    expect(read("eye_direction")).toEqual([0, 1, 0]);
    for (const [side, joints] of [
      ["left", reading.handLeft],
      ["right", reading.handRight],
    ] as const) {
      expect(read(`hand_${side}_orientation`)).toEqual(joints.flatMap((one) => one.orientation));
      expect(read(`hand_${side}_position`)).toEqual(joints.flatMap((one) => one.position));
      expect(read(`hand_${side}_radius`)).toEqual(joints.map((one) => one.radius));
      const { at } = member(dtype, `hand_${side}_accuracy`);
      const accuracies = new Int32Array(frame.bytes.slice(at, at + 104).buffer);
      expect([...accuracies]).toEqual(joints.map((one) => one.accuracy));
    }
    expect(frame.fields).toMatchObject({ valid: 0xf, head_valid: 1, hand_right_valid: 1 });
    expect(frame.fields).not.toHaveProperty("pose");
  });

  test("what holds no number is not valid, in the record as well", async () => {
    rig = new StreamRig({ stream: "spatial-input" });
    await rig.open(spatialInputReceiving);
    const broken = { ...reading, eyeOrigin: [0, Number.NaN, 0], valid: 0x7 };
    const frame = onlyOf(rig.take(spatialInput.encode(broken), 9n));
    expect(frame.fields).toMatchObject({
      valid: 0x5,
      head_valid: 1,
      eye_valid: 0,
      hand_left_valid: 1,
      hand_right_valid: 0,
    });
    expect(frame.bytes[0]).toBe(0x5);
  });
});

describe("eye tracker", () => {
  const reading = {
    reserved: 0,
    combinedOrigin: [1, 2, 3],
    combinedDirection: [0, 0, -1],
    leftOrigin: [4, 5, 6],
    leftDirection: [0, 1, 0],
    rightOrigin: [7, 8, 9],
    rightDirection: [1, 0, 0],
    leftOpenness: 0.25,
    rightOpenness: 0.5,
    vergenceDistance: 2,
    valid: 0x0f,
  };

  test("the record without its reserved word, with the tracker's pose", async () => {
    rig = new StreamRig({ stream: "eye-tracker", keys: { pose: false } });
    await rig.open(eyeTrackerReceiving);
    const frame = onlyOf(rig.take(eyeTrackerReading.encode(reading), 5n, located));
    const { dtype, rate } = descriptorOf("hl.eye-tracker");
    const read = (name: string) => floatsOf(frame.bytes, dtype, name);
    expect(rate).toBe(30);
    expect(itemSize(dtype)).toBe(88);
    expect(read("left_origin")).toEqual([4, 5, 6]);
    expect(read("right_direction")).toEqual([1, 0, 0]);
    expect(read("vergence_distance")).toEqual([2]);
    expect(frame.fields).toMatchObject({
      ...{ valid: 0x0f, calibration_valid: 1, combined_valid: 1, left_valid: 1, right_valid: 1 },
      ...{ left_openness_valid: 0, right_openness_valid: 0, vergence_valid: 0, pose_valid: 1 },
    });
    expect(frame.fields.pose).toEqual([...located]);
  });

  test("a ray without numbers is not valid", async () => {
    rig = new StreamRig({ stream: "eye-tracker" });
    await rig.open(eyeTrackerReceiving);
    const broken = { ...reading, rightDirection: [Number.POSITIVE_INFINITY, 0, 0] };
    const frame = onlyOf(rig.take(eyeTrackerReading.encode(broken), 5n, new Float32Array(16)));
    expect(frame.fields).toMatchObject({ valid: 0x07, right_valid: 0, pose_valid: 0 });
    expect(frame.bytes[84]).toBe(0x07);
  });
});
