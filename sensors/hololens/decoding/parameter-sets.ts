/**
 * The parameter sets of a stream, for a decoder that was opened anew: an encoder need not repeat them
 * with each key frame.
 */
import { kindOf, unitStarts, type VideoCodec } from "../wire/access-unit.ts";
import { joined } from "../wire/record.ts";

export interface ParameterSets {
  /** A key frame, with the sets that came last where the decoder has none and the frame brings none. */
  with(keyFrame: Uint8Array): Uint8Array;
  /** The decoder has none. */
  forgotten(): void;
}

const startCode = Uint8Array.of(0, 0, 0, 1);
/** Usual ones have less than 200 bytes. */
const largestBytes = 4096;

export function createParameterSets(codec: VideoCodec): ParameterSets {
  let known = new Uint8Array(0);
  let needed = false;

  return {
    with(keyFrame) {
      const own = setsIn(codec, keyFrame);
      const lacking = needed && own.byteLength === 0;
      needed = false;
      if (own.byteLength > 0 && own.byteLength <= largestBytes) known = own;
      return lacking ? joined(known, keyFrame) : keyFrame;
    },
    forgotten() {
      needed = true;
    },
  };
}

/** All that stand before the first slice, copied. */
function setsIn(codec: VideoCodec, unit: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let from: number | null = null;
  for (const start of unitStarts(unit)) {
    // Up to the next start code; zeros before it may belong to either.
    if (from !== null) parts.push(startCode, unit.subarray(from, start - 3));
    const kind = kindOf(codec, unit[start] as number);
    if (kind === "slice") break;
    from = kind === "parameter set" ? start : null;
  }
  return joined(...parts);
}
