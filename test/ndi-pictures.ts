/** What the simulated sender's pictures show, read from the frames of a ring. */
import { blockPixels, numberBits } from "../sensors/ndi/simulator/test-picture.ts";

/** The number in the upper left corner of a bgr24 picture, modulo 65536. */
export function numberOf(bgr: Uint8Array, width: number): number {
  const block = blockPixels(width);
  const row = (block >> 1) * width;
  let number = 0;
  for (let bit = 0; bit < numberBits; bit++) {
    const green = bgr[3 * (row + bit * block + (block >> 1)) + 1] as number;
    number = 2 * number + (green > 128 ? 1 : 0);
  }
  return number;
}

/** How many numbers further, where 65535 is followed by 0. */
export function numbersFrom(before: number, after: number): number {
  return (after - before + 65536) % 65536;
}
