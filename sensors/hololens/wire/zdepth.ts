/**
 * Zdepth: lossy by quantisation, exact otherwise. A header, then four zstd frames: zero map, predictors of
 * blocks, codes at edges, codes on surfaces. Every image stands alone (the server sends key frames only).
 */
import { ProtocolError } from "./protocol-error.ts";
import { joined, listOf, record, u8, u16, u32, type Values } from "./record.ts";
import {
  blockSide,
  decodeCodes,
  dequantise,
  encodeCodes,
  pack12,
  packZeroMap,
  quantise,
  unpackZeroMap,
} from "./zdepth-pixels.ts";
import { deflateZstd, inflateZstd } from "./zstd.ts";

const part = record({ bytes: u32, packedBytes: u32 });

const zdepthHeader = record({
  magic: u8,
  flags: u8,
  frame: u16,
  width: u16,
  height: u16,
  /** Zero map, predictors, edges, surfaces. */
  parts: listOf(part, 4),
});

type Header = Values<typeof zdepthHeader>;

const magic = 0xca;
const keyFrame = 1;
const largestSide = 4096;

export interface Size {
  width: number;
  height: number;
}

/** An image's lists, no longer packed, of the lengths that its size makes them. */
export interface ZdepthLists extends Size {
  /** A bit for each pixel. */
  zeroMap: Uint8Array;
  /** One for each block that is neither in the first row nor the first column of blocks. */
  predictors: Uint8Array;
  /** Of 12-bit codes: three bytes hold two. */
  edges: Uint8Array;
  surfaces: Uint8Array;
}

/**
 * Everything but the loops over pixels, which a faster language may do.
 * @param expected what the stream says about the size of its images
 * @throws ProtocolError `frame`: each image is on its own
 */
export function inflateZdepth(
  bytes: Uint8Array,
  { expected, where }: { expected: Size; where: string },
): ZdepthLists {
  const header = parseHeader(bytes, expected, where);
  const [zeroMap, predictors, edges, surfaces] = unpackParts(bytes, header, where);
  const { width, height } = header;
  return { width, height, zeroMap, predictors, edges, surfaces };
}

/** The same and the pixels. @throws ProtocolError `frame` */
export function decodeZdepth(
  bytes: Uint8Array,
  { expected, where }: { expected: Size; where: string },
): Uint16Array {
  const { zeroMap, predictors, edges, surfaces, ...size } = inflateZdepth(bytes, {
    expected,
    where,
  });
  const nonZero = new Uint8Array(size.width * size.height);
  const depth = new Uint16Array(nonZero.length);
  unpackZeroMap(zeroMap, nonZero);
  const lists = { nonZero, predictors, edges: codesIn(edges), surfaces: codesIn(surfaces) };
  if (!decodeCodes(size, lists, depth)) {
    throw wrong(where, "fewer codes than pixels that are not zero", "a code for each");
  }
  dequantise(depth);
  return depth;
}

function parseHeader(bytes: Uint8Array, expected: Size, where: string): Header {
  if (bytes.byteLength < zdepthHeader.bytes) {
    throw wrong(where, `Zdepth of ${bytes.byteLength} bytes`, `${zdepthHeader.bytes} or more`);
  }
  const header = zdepthHeader.parse(bytes.subarray(0, zdepthHeader.bytes), where);
  if (header.magic !== magic) throw wrong(where, `Zdepth mark ${header.magic}`, `${magic}`);
  if ((header.flags & keyFrame) === 0)
    throw wrong(where, "a Zdepth image that is no key frame", "key frames");
  const { width, height } = header;
  if (width !== expected.width || height !== expected.height) {
    throw wrong(where, `Zdepth of ${width}x${height}`, `${expected.width}x${expected.height}`);
  }
  checkSize(header, where);
  checkParts(header, bytes.byteLength, where);
  return header;
}

function checkSize({ width, height }: Size, where: string): void {
  const fits = (side: number) => side > 0 && side <= largestSide && side % blockSide === 0;
  if (fits(width) && fits(height)) return;
  const allowed = `sides of ${blockSide} to ${largestSide} in multiples of ${blockSide}`;
  throw wrong(where, `Zdepth of ${width}x${height}`, allowed);
}

/** Before anything is unpacked: the sizes must be what the image's size makes them. */
function checkParts({ width, height, parts }: Header, total: number, where: string): void {
  const [zeroMap, predictors, edges, surfaces] = parts.map(({ bytes }) => bytes) as FourSizes;
  const pixels = width * height;
  const blocks = (width / blockSide - 1) * (height / blockSide - 1);
  if (zeroMap !== pixels / 8) throw wrong(where, `a zero map of ${zeroMap} bytes`, `${pixels / 8}`);
  if (predictors !== blocks) throw wrong(where, `${predictors} predictors`, `${blocks}`);
  const most = 1.5 * pixels + 6;
  if (edges % 3 !== 0 || surfaces % 3 !== 0 || edges + surfaces > most) {
    throw wrong(
      where,
      `codes of ${edges} and ${surfaces} bytes`,
      `multiples of 3, together ${most}`,
    );
  }
  const packed = parts.reduce((sum, { packedBytes }) => sum + packedBytes, zdepthHeader.bytes);
  if (packed !== total) throw wrong(where, `parts of ${packed} bytes in ${total}`, `${total}`);
}

type FourSizes = [number, number, number, number];
type FourParts = [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

function unpackParts(bytes: Uint8Array, { parts }: Header, where: string): FourParts {
  let at = zdepthHeader.bytes;
  return parts.map(({ bytes: size, packedBytes }) => {
    const packed = bytes.subarray(at, at + packedBytes);
    at += packedBytes;
    return packedBytes === 0 && size === 0 ? packed : inflateZstd(packed, { size, where });
  }) as FourParts;
}

/** Three bytes hold two codes. */
function codesIn(bytes: Uint8Array): { bytes: Uint8Array; count: number } {
  return { bytes, count: (bytes.byteLength / 3) * 2 };
}

function wrong(where: string, what: string, allowed: string): ProtocolError {
  return new ProtocolError({ where, what, allowed, kind: "frame" });
}

/**
 * @param frame its number, from 1
 * @param predictors one for each inner block; 0 everywhere is as exact, only larger
 */
export function encodeZdepth(
  depth: Uint16Array,
  { width, height, frame, predictors }: Size & { frame: number; predictors?: Uint8Array },
): Uint8Array {
  const blocks = (width / blockSide - 1) * (height / blockSide - 1);
  if (width % blockSide !== 0 || height % blockSide !== 0 || blocks < 2) {
    throw new RangeError(`${width}x${height}; allowed: multiples of ${blockSide}, from 24x16 on`);
  }
  const codes = quantise(depth);
  const nonZero = codes.map((code) => (code === 0 ? 0 : 1));
  const chosen = predictors ?? new Uint8Array(blocks);
  const { edges, surfaces } = encodeCodes(
    { width, height },
    { nonZero: Uint8Array.from(nonZero), predictors: chosen },
    codes,
  );
  const unpacked = [packZeroMap(codes), chosen, pack12(edges), pack12(surfaces)];
  const packed = unpacked.map(deflateZstd);
  const parts = unpacked.map((one, i) => ({
    bytes: one.byteLength,
    packedBytes: packed[i]?.byteLength ?? 0,
  }));
  const header = { magic, flags: keyFrame, frame: frame & 0xffff, width, height, parts };
  return joined(zdepthHeader.encode(header), ...packed);
}
