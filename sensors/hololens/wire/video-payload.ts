/** Personal and extended video: a coded image, then what the camera says about it. */
import { ProtocolError } from "./protocol-error.ts";
import { f32, joined, listOf, record, u16, u32, u64, type Values } from "./record.ts";

/** Of extended video only width and height are set. */
export const videoFooter = record({
  /** Pixels. */
  focalLength: listOf(f32, 2),
  principalPoint: listOf(f32, 2),
  /** 100 ns. */
  exposureTime: u64,
  exposureCompensation: listOf(u64, 2),
  lensPosition: u32,
  /** 0 uninitialised, 1 lost, 2 searching, 3 focused, 4 failed. */
  focusState: u32,
  isoSpeed: u32,
  /** Kelvin. */
  whiteBalance: u32,
  /** Analog, digital. */
  isoGains: listOf(f32, 2),
  /** Red, green, blue. */
  whiteBalanceGains: listOf(f32, 3),
  /** Of this very image. */
  width: u16,
  height: u16,
});

export type VideoFooter = Values<typeof videoFooter>;

const largestSide = 4096;

/** Null: a footer alone, which is legal and says nothing. */
export function splitVideo(
  payload: Uint8Array,
  where: string,
): { image: Uint8Array; footer: VideoFooter } | null {
  const imageBytes = payload.byteLength - videoFooter.bytes;
  if (imageBytes <= 0) return null;
  const footer = videoFooter.parse(payload.subarray(imageBytes), where);
  checkSides(footer, where);
  return { image: payload.subarray(0, imageBytes), footer };
}

export function checkSides(size: { width: number; height: number }, where: string): void {
  const { width, height } = size;
  if (width > 0 && height > 0 && width <= largestSide && height <= largestSide) return;
  const what = `an image of ${width}x${height}`;
  throw new ProtocolError({ where, what, allowed: `1 to ${largestSide} on each side` });
}

export function encodeVideoPayload(image: Uint8Array, footer: VideoFooter): Uint8Array {
  return joined(image, videoFooter.encode(footer));
}
