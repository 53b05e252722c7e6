/**
 * Grey cameras: a coded image of 640x480 (its Y plane is the picture, both chroma planes are 128), or the
 * pixels themselves, then a footer. Pictures lie on their side: see `upright`.
 */
import { doubleOfOption, type Option, optionKeys, videoProfiles } from "./codes.ts";
import { ProtocolError } from "./protocol-error.ts";
import { joined, record, u32, u64, type Values } from "./record.ts";

export const vlcWidth = 640;
export const vlcHeight = 480;

/** Quarter turns clockwise that set a camera's picture upright. */
export const upright = {
  "vlc-leftfront": 1,
  "vlc-leftleft": -1,
  "vlc-rightfront": -1,
  "vlc-rightright": 1,
} as const;

export const vlcFooter = record({
  /** ns. */
  sensorTicks: u64,
  /** ns. */
  exposure: u64,
  gain: u32,
  reserved: u32,
});

export type VlcFooter = Values<typeof vlcFooter>;

/** Null: a footer alone, which is legal and says nothing. */
export function splitVlc(
  payload: Uint8Array,
  { profile, where }: { profile: number; where: string },
): { image: Uint8Array; footer: VlcFooter } | null {
  const imageBytes = payload.byteLength - vlcFooter.bytes;
  if (imageBytes <= 0) return null;
  const rawBytes = vlcWidth * vlcHeight;
  if (profile === videoProfiles.raw && imageBytes !== rawBytes) {
    const what = `a raw image of ${imageBytes} bytes`;
    throw new ProtocolError({ where, what, allowed: `${rawBytes}` });
  }
  const footer = vlcFooter.parse(payload.subarray(imageBytes), where);
  return { image: payload.subarray(0, imageBytes), footer };
}

export function encodeVlcPayload(image: Uint8Array, footer: Omit<VlcFooter, "reserved">) {
  return joined(image, vlcFooter.encode({ ...footer, reserved: 0 }));
}

/** What the options ask the server to add to timestamps; nothing where they are absent. */
export interface ClockShift {
  /** 100 ns. */
  offset: bigint;
  factor: number;
}

export function clockShiftOf(options: readonly Option[]): ClockShift {
  const find = (key: bigint) => options.findLast((option) => option.key === key)?.value ?? 0n;
  return {
    offset: BigInt.asIntN(64, find(optionKeys.clockOffset)),
    factor: doubleOfOption(find(optionKeys.clockExposureFactor)),
  };
}

/** The timestamp that is sent for an image taken at `ticks`. A factor that is no number counts as 0. */
export function shiftedTimestamp(
  { ticks, exposureNs }: { ticks: bigint; exposureNs: bigint },
  shift: ClockShift,
): bigint {
  const byExposure = Math.trunc((shift.factor * Number(exposureNs)) / 100);
  const shifted = ticks + shift.offset + BigInt(Number.isFinite(byExposure) ? byExposure : 0);
  return BigInt.asUintN(64, shifted);
}
