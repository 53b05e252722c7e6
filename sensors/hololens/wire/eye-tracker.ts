/** Gaze of each eye and of both, in the tracker's frame: the packet's pose takes them to the world. */
import { f32, listOf, record, u32, type Values } from "./record.ts";

const vector = listOf(f32, 3);

export const eyeTrackerReading = record({
  reserved: u32,
  combinedOrigin: vector,
  combinedDirection: vector,
  leftOrigin: vector,
  leftDirection: vector,
  rightOrigin: vector,
  rightDirection: vector,
  leftOpenness: f32,
  rightOpenness: f32,
  vergenceDistance: f32,
  valid: u32,
});

export type EyeTrackerReading = Values<typeof eyeTrackerReading>;

/** The device is not known to fill openness and vergence. */
export const eyeTrackerBits = {
  calibration: 0x01,
  combined: 0x02,
  left: 0x04,
  right: 0x08,
  leftOpenness: 0x10,
  rightOpenness: 0x20,
  vergence: 0x40,
} as const;

const { offsets } = eyeTrackerReading;
const parts = [
  { bit: eyeTrackerBits.combined, from: offsets.combinedOrigin, to: offsets.leftOrigin },
  { bit: eyeTrackerBits.left, from: offsets.leftOrigin, to: offsets.rightOrigin },
  { bit: eyeTrackerBits.right, from: offsets.rightOrigin, to: offsets.leftOpenness },
  { bit: eyeTrackerBits.leftOpenness, from: offsets.leftOpenness, to: offsets.rightOpenness },
  { bit: eyeTrackerBits.rightOpenness, from: offsets.rightOpenness, to: offsets.vergenceDistance },
  { bit: eyeTrackerBits.vergence, from: offsets.vergenceDistance, to: offsets.valid },
];

/** The valid bits of a payload, without those whose values are no numbers. */
export function validEyeBitsOf(payload: DataView): number {
  let valid = payload.getUint32(offsets.valid, true);
  for (const { bit, from, to } of parts) {
    for (let at = from; at < to; at += 4) {
      if (!Number.isFinite(payload.getFloat32(at, true))) valid &= ~bit;
    }
  }
  return valid >>> 0;
}
