/**
 * The pixels of Zdepth: zero map, 12-bit codes, prediction in blocks of 8x8, quantised depth.
 *
 * Streams are decoded by the same loops in native/pixels.c; the ones here encode, and are what tests hold
 * those to.
 */

export const blockSide = 8;

/** Depth to code and back: steps of 1, 2, 4, 8, 16 with growing distance. */
const steps = [
  { code: 1, depth: 201, step: 1 },
  { code: 550, depth: 750, step: 2 },
  { code: 925, depth: 1500, step: 4 },
  { code: 1300, depth: 3000, step: 8 },
  { code: 1675, depth: 6000, step: 16 },
];
const codesEnd = 2040;
const depthsEnd = 11840;

const depthOfCode = new Uint16Array(65536);
const codeOfDepth = new Uint16Array(65536);
for (const [i, { code, depth, step }] of steps.entries()) {
  for (let c = code; c < (steps[i + 1]?.code ?? codesEnd); c++) {
    depthOfCode[c] = depth + step * (c - code);
  }
  for (let d = depth; d < (steps[i + 1]?.depth ?? depthsEnd); d++) {
    codeOfDepth[d] = code + Math.floor((d - depth) / step);
  }
}

export function quantise(depth: Uint16Array): Uint16Array {
  return depth.map((value) => codeOfDepth[value] as number);
}

/** In place: codes become depths. What is no code is no depth. */
export function dequantise(codes: Uint16Array): void {
  for (let i = 0; i < codes.length; i++) {
    codes[i] = depthOfCode[codes[i] as number] as number;
  }
}

/** A bit for each pixel, lowest first, says whether it differs from the one before in being zero. */
export function unpackZeroMap(bits: Uint8Array, nonZero: Uint8Array): void {
  let running = 0;
  for (let at = 0; at < nonZero.length; at++) {
    running ^= ((bits[at >> 3] as number) >> (at & 7)) & 1;
    nonZero[at] = running;
  }
}

export function packZeroMap(codes: Uint16Array): Uint8Array {
  const bits = new Uint8Array(codes.length >> 3);
  let running = 0;
  codes.forEach((code, at) => {
    const now = code === 0 ? 0 : 1;
    bits[at >> 3] = (bits[at >> 3] as number) | ((running ^ now) << (at & 7));
    running = now;
  });
  return bits;
}

/** 12-bit values: the upper 8 bits of all, then the lower 4 of each two in one byte, the first one low. */
export function pack12(values: number[]): Uint8Array {
  const count = values.length + (values.length & 1);
  const packed = new Uint8Array(count + count / 2);
  values.forEach((value, i) => {
    packed[i] = value >> 4;
    const at = count + (i >> 1);
    packed[at] = (packed[at] as number) | ((value & 15) << (4 * (i & 1)));
  });
  return packed;
}

/** Neighbours of a pixel; 0 where there is none, or none that counts. */
export interface Neighbours {
  left: number;
  left2: number;
  up: number;
  up2: number;
}

/** @param predictor its number; unknown ones, and 6 (the frame before, which key frames have not), are 0 */
function predict(predictor: number, { left, left2, up, up2 }: Neighbours): number {
  const most = left > up ? left : up;
  switch (predictor) {
    case 1:
      return up !== 0 ? up : left;
    case 2:
      return left !== 0 ? left : up;
    case 3:
      return up !== 0 && up2 !== 0 ? 2 * up - up2 : most;
    case 4:
      return left !== 0 && left2 !== 0 ? 2 * left - left2 : most;
    case 5:
      return left !== 0 && up !== 0 ? (left + up) >> 1 : most;
    default:
      return most;
  }
}

/** Called for each pixel that is not zero: its place, whether it is an edge, its prediction. */
type Visit = (at: number, edge: boolean, prediction: number) => boolean;

/**
 * Walks the blocks, and the pixels inside each, row by row. `codes` is looked at for neighbours: the
 * decoder fills it on the way. False: `visit` said so and ended the walk.
 *
 * @param predictors one for each block that is neither in the first row nor the first column of blocks
 */
export function walkBlocks(
  { width, height }: { width: number; height: number },
  {
    codes,
    nonZero,
    predictors,
  }: { codes: Uint16Array; nonZero: Uint8Array; predictors: Uint8Array },
  visit: Visit,
): boolean {
  const near: Neighbours = { left: 0, left2: 0, up: 0, up2: 0 };
  let nextPredictor = 0;
  for (let top = 0; top < height; top += blockSide) {
    for (let first = 0; first < width; first += blockSide) {
      const atBorder = top === 0 || first === 0;
      const predictor = atBorder ? 0 : (predictors[nextPredictor++] as number);
      for (let y = 0; y < blockSide; y++) {
        for (let x = 0; x < blockSide; x++) {
          const at = (top + y) * width + first + x;
          if (nonZero[at] === 0) continue;
          // Blocks at the border see themselves alone; the others have two pixels on each side.
          near.left = atBorder && x === 0 ? 0 : (codes[at - 1] as number);
          near.up = atBorder && y === 0 ? 0 : (codes[at - width] as number);
          near.left2 = atBorder ? 0 : (codes[at - 2] as number);
          near.up2 = atBorder ? 0 : (codes[at - 2 * width] as number);
          const edge = near.left === 0 || near.up === 0;
          if (!visit(at, edge, predict(predictor, near))) return false;
        }
      }
    }
  }
  return true;
}

/** A list of 12-bit values, packed. */
interface Codes {
  bytes: Uint8Array;
  count: number;
}

/** False: a list ran out. @param codes all zero before, quantised depth after */
export function decodeCodes(
  size: { width: number; height: number },
  lists: { nonZero: Uint8Array; predictors: Uint8Array; edges: Codes; surfaces: Codes },
  codes: Uint16Array,
): boolean {
  const { edges, surfaces } = lists;
  let edgesRead = 0;
  let surfacesRead = 0;
  return walkBlocks(size, { codes, ...lists }, (at, edge, prediction) => {
    const { bytes, count } = edge ? edges : surfaces;
    const i = edge ? edgesRead++ : surfacesRead++;
    if (i >= count) return false;
    const low = ((bytes[count + (i >> 1)] as number) >> (4 * (i & 1))) & 15;
    const code = ((bytes[i] as number) << 4) | low;
    codes[at] = prediction + ((code >> 1) ^ -(code & 1));
    return true;
  });
}

/** The differences that {@link decodeCodes} adds up again. */
export function encodeCodes(
  size: { width: number; height: number },
  lists: { nonZero: Uint8Array; predictors: Uint8Array },
  codes: Uint16Array,
): { edges: number[]; surfaces: number[] } {
  const edges: number[] = [];
  const surfaces: number[] = [];
  walkBlocks(size, { codes, ...lists }, (at, edge, prediction) => {
    const difference = (codes[at] as number) - prediction;
    const code = (difference << 1) ^ (difference >> 31);
    if (code > 0xfff) throw new RangeError(`difference ${difference}; allowed: -2048 to 2047`);
    (edge ? edges : surfaces).push(code);
    return true;
  });
  return { edges, surfaces };
}
