/**
 * What can be said of an H.264 or H.265 access unit without decoding it. Each payload is one whole unit
 * with start codes; the first of a session stands alone and carries its parameter sets.
 */
import { joined } from "./record.ts";

export type VideoCodec = "h264" | "h265";

/** The device's own client cuts the first 6 bytes of each H.264 payload, whatever they are. */
const h264Delimiter = Uint8Array.of(0, 0, 0, 1, 0x09, 0x10);

interface Codec {
  type(firstByte: number): number;
  isSlice(type: number): boolean;
  standsAlone(type: number): boolean;
  parameterSets: number[];
}

const codecs: Record<VideoCodec, Codec> = {
  h264: {
    type: (byte) => byte & 0x1f,
    isSlice: (type) => type >= 1 && type <= 5,
    standsAlone: (type) => type === 5,
    parameterSets: [7, 8],
  },
  h265: {
    type: (byte) => (byte >> 1) & 0x3f,
    isSlice: (type) => type < 32,
    standsAlone: (type) => type >= 16 && type <= 21,
    parameterSets: [32, 33, 34],
  },
};

export interface AccessUnit {
  /** Decoding can begin here. */
  keyFrame: boolean;
  /** All parameter sets stand before the first slice. */
  parameterSets: boolean;
}

/** Looks up to the first slice: what decides stands before it. */
export function inspectAccessUnit(codec: VideoCodec, bytes: Uint8Array): AccessUnit {
  const { type, isSlice, standsAlone, parameterSets } = codecs[codec];
  const seen = new Set<number>();
  for (const start of unitStarts(bytes)) {
    const unit = type(bytes[start] as number);
    seen.add(unit);
    if (!isSlice(unit)) continue;
    const complete = parameterSets.every((one) => seen.has(one));
    return { keyFrame: standsAlone(unit), parameterSets: complete };
  }
  return { keyFrame: false, parameterSets: false };
}

/** What a NAL unit is, by its first byte. */
export function kindOf(codec: VideoCodec, firstByte: number): "slice" | "parameter set" | "other" {
  const { type, isSlice, parameterSets } = codecs[codec];
  const unit = type(firstByte);
  if (isSlice(unit)) return "slice";
  return parameterSets.includes(unit) ? "parameter set" : "other";
}

/** Where each NAL unit begins, behind its start code. */
export function* unitStarts(bytes: Uint8Array): Generator<number> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const startCode = Buffer.of(0, 0, 1);
  for (let at = buffer.indexOf(startCode); at >= 0; at = buffer.indexOf(startCode, at)) {
    at += startCode.length;
    if (at < buffer.length) yield at;
  }
}

/** An H.264 access unit as it is sent: with a delimiter of exactly 6 bytes in front. */
export function withDelimiter(unit: Uint8Array): Uint8Array {
  const begins = h264Delimiter.every((byte, i) => i === 5 || unit[i] === byte);
  return begins ? unit : joined(h264Delimiter, unit);
}
