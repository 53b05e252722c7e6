/** Images that come without an encoder (profile raw): rows longer than the picture, planes one after the other. */
import { ProtocolError } from "./protocol-error.ts";

/** Rows of personal video; those of the extended sources by the option `strideMask`. */
export const usualStrideMask = 0x3f;

export function strideOf(width: number, mask: number = usualStrideMask): number {
  return (width + mask) & ~mask;
}

/** Bytes for two pixels in one row and in all planes: 4:2:0 has 3 (12 bits a pixel), 4:2:2 packed has 4. */
const bytesOfTwoPixels = { NV12: 3, I420: 3, IYUV: 3, YV12: 3, YUY2: 4 } as const;
export type RawSubtype = keyof typeof bytesOfTwoPixels;

export interface RawImage {
  width: number;
  height: number;
  subtype: RawSubtype;
}

/**
 * Pixels from one row to the next, found from the size: the usual one, else any that divides evenly.
 * Throws a ProtocolError where none does.
 */
export function rawStride(
  imageBytes: number,
  { width, height, subtype }: RawImage,
  { where, mask = usualStrideMask }: { where: string; mask?: number },
): number {
  const halves = bytesOfTwoPixels[subtype];
  const usual = strideOf(width, mask);
  if (imageBytes * 2 === usual * height * halves) return usual;
  const stride = (imageBytes * 2) / (height * halves);
  if (Number.isInteger(stride) && stride >= width) return stride;
  const what = `a raw ${subtype} image of ${width}x${height} in ${imageBytes} bytes`;
  const allowed = `${(usual * height * halves) / 2}, or rows of equal length of at least ${width}`;
  throw new ProtocolError({ where, what, allowed });
}

/**
 * Copies an NV12 image without the ends of its rows. Sides are even, as 4:2:0 has them.
 * @param target width * height * 3 / 2 bytes
 */
export function cropNv12(
  image: Uint8Array,
  { width, height, stride }: { width: number; height: number; stride: number },
  target: Uint8Array,
): void {
  const rows = height + height / 2; // the chroma plane's rows are as long, and half as many
  for (let row = 0; row < rows; row++) {
    target.set(image.subarray(row * stride, row * stride + width), row * width);
  }
}

/** The other way: what lies in the ends of the rows is 0. */
export function padNv12(
  image: Uint8Array,
  { width, height, stride }: { width: number; height: number; stride: number },
): Uint8Array {
  const rows = height + height / 2;
  const padded = new Uint8Array(stride * rows);
  for (let row = 0; row < rows; row++) {
    padded.set(image.subarray(row * width, (row + 1) * width), row * stride);
  }
  return padded;
}
