/** Noise that is the same for the same place in it, so that what repeats in the world repeats exactly. */

/** @returns normally distributed about 0 with deviation 1, or nearly so */
export function noiseAt(index: number): number {
  return uniform(index) + uniform(index + 0x1000_0000) + uniform(index + 0x2000_0000);
}

/** From -1 to 1; the sum of three has deviation 1. */
function uniform(index: number): number {
  let x = Math.imul(index ^ 0x9e37_79b9, 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) / 2 ** 31;
}
