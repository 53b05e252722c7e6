/** Accelerometer, gyroscope, magnetometer: batches of samples, as many as there were. */
import { f32, joined, listOf, record, u64, type Values, viewOf } from "./record.ts";

export const imuSample = record({
  /** ns, the sensor's own clock. */
  sensorTicks: u64,
  /** 100 ns, the clock of the packets. */
  socTicks: u64,
  /** m/s² (accelerometer), deg/s (gyroscope); the magnetometer's unit is not stated. */
  xyz: listOf(f32, 3),
  /** Of the magnetometer: arbitrary bytes. */
  temperature: f32,
});

export type ImuSample = Values<typeof imuSample>;

/** @param payload of a packet whose framing said that it is a multiple of a sample */
export function parseImu(payload: Uint8Array): ImuSample[] {
  const view = viewOf(payload);
  const count = Math.floor(payload.byteLength / imuSample.bytes);
  return Array.from({ length: count }, (_, i) => imuSample.read(view, i * imuSample.bytes));
}

export function encodeImu(samples: readonly ImuSample[]): Uint8Array {
  return joined(...samples.map((sample) => imuSample.encode(sample)));
}

/**
 * Some batches carry one and the same SoC time in all samples. Then the sensor's clock says where in the
 * batch each was taken; written in place. Batches with times of their own stay as they are.
 */
export function spreadSocTicks(payload: Uint8Array): void {
  const view = viewOf(payload);
  const { bytes, offsets } = imuSample;
  const last = payload.byteLength - bytes;
  if (last < 0) return;
  const soc = view.getBigUint64(offsets.socTicks, true);
  if (view.getBigUint64(last + offsets.socTicks, true) !== soc) return;
  const first = view.getBigUint64(offsets.sensorTicks, true);
  for (let at = 0; at <= last; at += bytes) {
    const since = view.getBigUint64(at + offsets.sensorTicks, true) - first;
    view.setBigUint64(at + offsets.socTicks, soc + floorDivide(since, 100n), true);
  }
}

/** Sample times may run backwards; division rounds down there too. */
function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
