/** Rows of one colour in the formats that a sender gives to libndi. */
import type { Colour } from "./test-picture.ts";

export interface PixelWriter {
  /** The smallest group of pixels that stand together. */
  unitPixels: number;
  unitBytes: number;
  /** Whether row `y` is filled in another way than the one above it. */
  changesAt(y: number): boolean;
  fill(row: Uint8Array, colour: Colour, y: number): void;
}

/** Of so many pixels side by side; an odd one takes the place of two. */
export function bytesBetween({ unitPixels, unitBytes }: PixelWriter, pixels: number): number {
  return Math.ceil(pixels / unitPixels) * unitBytes;
}

export const writers = {
  /** Two pixels in four bytes: blue difference, brightness, red difference, brightness. */
  uyvy: (_height: number): PixelWriter => ({
    unitPixels: 2,
    unitBytes: 4,
    changesAt: () => false,
    fill(row, colour) {
      const { y, u, v } = yuv(colour);
      for (let at = 0; at < row.length; at += 4) row.set([u, y, v, y], at);
    },
  }),
  bgra: (height: number): PixelWriter => ({
    unitPixels: 1,
    unitBytes: 4,
    changesAt: (y) => y === height >> 1,
    fill(row, [red, green, blue], y) {
      const alpha = y < height >> 1 ? 255 : 128;
      for (let at = 0; at < row.length; at += 4) row.set([blue, green, red, alpha], at);
    },
  }),
};

/** BT.709 in the limited range, which libndi takes pictures of every size for (seen from 64 x 64 to 3840 x 2160). */
function yuv([red, green, blue]: Colour) {
  const [kr, kb] = [0.2126, 0.0722];
  const y = (kr * red + (1 - kr - kb) * green + kb * blue) / 255;
  const u = (blue / 255 - y) / (2 * (1 - kb));
  const v = (red / 255 - y) / (2 * (1 - kr));
  return {
    y: Math.round(16 + 219 * y),
    u: Math.round(128 + 224 * u),
    v: Math.round(128 + 224 * v),
  };
}
