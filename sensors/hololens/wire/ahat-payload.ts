/** Near depth: Zdepth bytes and active brightness in one payload, in four variants by the two profiles. */
import { depthProfiles, videoProfiles } from "./codes.ts";
import { ProtocolError } from "./protocol-error.ts";
import { joined, record, u32, u64, viewOf } from "./record.ts";

export const ahatSide = 512;
const planeBytes = ahatSide * ahatSide * 2;
/** What the server takes for no depth, and sets to 0 before it sends. */
export const ahatInvalidFrom = 4090;

const sizes = record({ depthBytes: u32, abBytes: u32 });
const ticks = record({ sensorTicks: u64 });

export interface AhatProfiles {
  depthProfile: number;
  /** Of the video that carries the active brightness. */
  profile: number;
}

export interface AhatParts {
  /** Zdepth, or u16 pixels (both profiles raw); empty where depth is inside the picture of `ab`. */
  depth: Uint8Array;
  /** A coded picture, or u16 pixels. */
  ab: Uint8Array;
  /** Counts of 62.976 MHz. */
  sensorTicks: bigint;
}

/** Null: nothing in it, which is legal and says nothing. */
export function splitAhat(
  payload: Uint8Array,
  { where, ...profiles }: AhatProfiles & { where: string },
): AhatParts | null {
  const frame = sizes.bytes + ticks.bytes;
  if (payload.byteLength < frame) {
    throw new ProtocolError({
      where,
      what: `${payload.byteLength} bytes`,
      allowed: `${frame} or more`,
    });
  }
  const { depthBytes, abBytes } = sizes.read(viewOf(payload), 0);
  if (frame + depthBytes + abBytes !== payload.byteLength) {
    const what = `parts of ${depthBytes} and ${abBytes} bytes in ${payload.byteLength}`;
    throw new ProtocolError({ where, what, allowed: `${payload.byteLength - frame} together` });
  }
  if (abBytes === 0) return null;
  checkParts({ depthBytes, abBytes }, profiles, where);
  const { sensorTicks } = ticks.read(viewOf(payload), payload.byteLength - ticks.bytes);
  const depth = payload.subarray(sizes.bytes, sizes.bytes + depthBytes);
  const ab = payload.subarray(sizes.bytes + depthBytes, payload.byteLength - ticks.bytes);
  return { ...(isRawPair(profiles) ? halves(ab) : { depth, ab }), sensorTicks };
}

function checkParts(
  { depthBytes, abBytes }: { depthBytes: number; abBytes: number },
  profiles: AhatProfiles,
  where: string,
): void {
  const zdepth = profiles.depthProfile === depthProfiles.zdepth;
  if (zdepth !== depthBytes > 0) {
    const allowed = zdepth ? "at least a Zdepth header" : "0 with depth profile 0";
    throw new ProtocolError({ where, what: `a depth part of ${depthBytes} bytes`, allowed });
  }
  if (profiles.profile !== videoProfiles.raw) return;
  const rawBytes = zdepth ? planeBytes : 2 * planeBytes;
  if (abBytes === rawBytes) return;
  throw new ProtocolError({
    where,
    what: `a raw part of ${abBytes} bytes`,
    allowed: `${rawBytes}`,
  });
}

function isRawPair({ depthProfile, profile }: AhatProfiles): boolean {
  return depthProfile === depthProfiles.same && profile === videoProfiles.raw;
}

function halves(both: Uint8Array): { depth: Uint8Array; ab: Uint8Array } {
  return { depth: both.subarray(0, planeBytes), ab: both.subarray(planeBytes) };
}

/** With both profiles raw, `depth` and `ab` together are one part. */
export function encodeAhatPayload(
  { depth, ab, sensorTicks }: AhatParts,
  profiles: AhatProfiles,
): Uint8Array {
  const [depthPart, abPart] = isRawPair(profiles)
    ? [new Uint8Array(0), joined(depth, ab)]
    : [depth, ab];
  const first = sizes.encode({ depthBytes: depthPart.byteLength, abBytes: abPart.byteLength });
  return joined(first, depthPart, abPart, ticks.encode({ sensorTicks }));
}
