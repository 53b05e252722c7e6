/** Head, gaze and hands, in world coordinates. The size never changes; bits say what is valid. */
import { f32, i32, listOf, record, u32, type Values } from "./record.ts";

export const jointNames = [
  "palm",
  "wrist",
  ...["thumb-metacarpal", "thumb-proximal", "thumb-distal", "thumb-tip"],
  ...["index", "middle", "ring", "little"].flatMap((finger) =>
    ["metacarpal", "proximal", "intermediate", "distal", "tip"].map((part) => `${finger}-${part}`),
  ),
];

const vector = listOf(f32, 3);

export const handJoint = record({
  /** Quaternion x, y, z, w. */
  orientation: listOf(f32, 4),
  /** Metres. */
  position: vector,
  /** Metres. */
  radius: f32,
  /** 0 high, 1 approximate. */
  accuracy: i32,
});

const hand = listOf(handJoint, jointNames.length);

export const spatialInput = record({
  valid: u32,
  headPosition: vector,
  headForward: vector,
  headUp: vector,
  eyeOrigin: vector,
  eyeDirection: vector,
  handLeft: hand,
  handRight: hand,
});

export type SpatialInput = Values<typeof spatialInput>;

export const spatialInputBits = { head: 0x1, eyeRay: 0x2, handLeft: 0x4, handRight: 0x8 } as const;

const { offsets } = spatialInput;
/** Where the values of each bit stand. They are 4 bytes each, and all but joint accuracies floats. */
const parts = [
  { bit: spatialInputBits.head, from: offsets.headPosition, to: offsets.eyeOrigin },
  { bit: spatialInputBits.eyeRay, from: offsets.eyeOrigin, to: offsets.handLeft },
  { bit: spatialInputBits.handLeft, from: offsets.handLeft, to: offsets.handRight },
  { bit: spatialInputBits.handRight, from: offsets.handRight, to: spatialInput.bytes },
];

/**
 * The valid bits of a payload, without those whose values are no numbers. What is not valid holds the
 * last value that was, or zeros.
 */
export function validBitsOf(payload: DataView): number {
  let valid = payload.getUint32(offsets.valid, true);
  for (const { bit, from, to } of parts) {
    if ((valid & bit) !== 0 && !allFinite(payload, from, to)) valid &= ~bit;
  }
  return valid >>> 0;
}

function allFinite(view: DataView, from: number, to: number): boolean {
  const isHand = from >= offsets.handLeft;
  for (let at = from; at < to; at += 4) {
    const inJoint = (at - from) % handJoint.bytes;
    if (isHand && inJoint === handJoint.offsets.accuracy) continue;
    if (!Number.isFinite(view.getFloat32(at, true))) return false;
  }
  return true;
}

/** Right of the head: up × (-forward). */
export function headRight({ headForward, headUp }: SpatialInput): [number, number, number] {
  const [fx, fy, fz] = headForward as [number, number, number];
  const [ux, uy, uz] = headUp as [number, number, number];
  return [uz * fy - uy * fz, ux * fz - uz * fx, uy * fx - ux * fy];
}
