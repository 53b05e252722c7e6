/** Bits of an H.264 NAL unit, highest first, without the bytes that keep start codes out of it. Past the end: 0. */

/** No header that is read here is longer. */
const mostBytes = 1024;

export interface BitReader {
  bits(count: number): number;
  /** Exponential Golomb code, `ue(v)`. */
  unsigned(): number;
  /** `se(v)`. */
  signed(): number;
}

export function createBitReader(unit: Uint8Array): BitReader {
  const bytes = withoutEmulation(unit.subarray(0, mostBytes));
  let at = 0;

  const bits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) {
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return value;
  };

  const unsigned = (): number => {
    let zeros = 0;
    while (zeros < 32 && bits(1) === 0) zeros++;
    return 2 ** zeros - 1 + bits(zeros);
  };

  return {
    bits,
    unsigned,
    signed() {
      const code = unsigned();
      return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    },
  };
}

/** 00 00 03 stands for 00 00. */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let count = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept[count++] = byte;
  }
  return kept.subarray(0, count);
}
