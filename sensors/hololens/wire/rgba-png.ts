/**
 * PNG of 8-bit RGBA, as the far depth camera sends: not a picture but numbers, so alpha is data and
 * nothing is converted.
 */
import { constants, crc32, deflateSync, inflateSync } from "node:zlib";
import { pngFilters } from "./codes.ts";
import { filterRows, pixelBytes, unfilterRows } from "./png-filter.ts";
import { ProtocolError } from "./protocol-error.ts";
import { joined, viewOf } from "./record.ts";

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Depth 8, RGBA, deflate, the usual filters, not interlaced. */
const kind = [8, 6, 0, 0, 0];
/** Around a chunk's data: length, name, checksum. */
const chunkFrame = 12;

export interface RgbaImage {
  width: number;
  height: number;
  rgba: Uint8Array;
}

/** Rows as they stand in the file, each with the number of its filter before it. */
export interface PngRows {
  width: number;
  height: number;
  rows: Uint8Array;
}

interface Limits {
  largest: { width: number; height: number };
  where: string;
}

/** Everything but the loops over pixels, which a faster language may do. @throws ProtocolError `frame` */
export function inflateRgbaPng(png: Uint8Array, { largest, where }: Limits): PngRows {
  if (!signature.every((byte, i) => png[i] === byte)) {
    throw wrong(where, "no PNG signature", "a PNG file");
  }
  const chunks = readChunks(png, where);
  const size = readHeader(chunks[0], where);
  if (size.width > largest.width || size.height > largest.height) {
    const what = `a PNG of ${size.width}x${size.height}`;
    throw wrong(where, what, `up to ${largest.width}x${largest.height}`);
  }
  const parts = chunks.filter(({ name }) => name === "IDAT").map((chunk) => chunk.data);
  const [only, second] = parts;
  const data = only && !second ? only : joined(...parts);
  return { ...size, rows: inflateRows(data, size, where) };
}

/** @throws ProtocolError `frame` */
export function decodeRgbaPng(png: Uint8Array, limits: Limits): RgbaImage {
  const { rows, ...size } = inflateRgbaPng(png, limits);
  const rgba = new Uint8Array(size.width * size.height * pixelBytes);
  if (unfilterRows(rows, size, rgba)) return { ...size, rgba };
  throw wrong(limits.where, "an unknown PNG row filter", "0 to 4");
}

interface Chunk {
  name: string;
  data: Uint8Array;
}

function readChunks(png: Uint8Array, where: string): Chunk[] {
  const view = viewOf(png);
  const chunks: Chunk[] = [];
  let at = signature.length;
  while (chunks.at(-1)?.name !== "IEND") {
    const dataBytes = at + chunkFrame <= png.byteLength ? view.getUint32(at) : Number.NaN;
    const end = at + chunkFrame + dataBytes;
    if (!(end <= png.byteLength)) throw wrong(where, "a PNG that ends too soon", "a whole PNG");
    const body = png.subarray(at + 4, end - 4);
    if (crc32(body) !== view.getUint32(end - 4)) {
      throw wrong(where, "a damaged PNG chunk (its checksum differs)", "a whole PNG");
    }
    const name = String.fromCharCode(...body.subarray(0, 4));
    chunks.push({ name, data: body.subarray(4) });
    at = end;
  }
  return chunks;
}

function readHeader(first: Chunk | undefined, where: string): { width: number; height: number } {
  if (first?.name !== "IHDR" || first.data.byteLength !== 13) {
    throw wrong(where, "a PNG without header", "IHDR of 13 bytes first");
  }
  const view = viewOf(first.data);
  const given = [...first.data.subarray(8)];
  if (!kind.every((code, i) => given[i] === code)) {
    const what = `PNG of depth ${given[0]}, colour type ${given[1]}, interlace ${given[4]}`;
    throw wrong(where, what, "depth 8, colour type 6, interlace 0");
  }
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width === 0 || height === 0) throw wrong(where, `a PNG of ${width}x${height}`, "1x1 or more");
  return { width, height };
}

function inflateRows(
  data: Uint8Array,
  { width, height }: { width: number; height: number },
  where: string,
): Uint8Array {
  const bytes = height * (1 + width * pixelBytes);
  const inflated = inflate(data, bytes, where);
  if (inflated.byteLength === bytes) return inflated;
  throw wrong(where, `${inflated.byteLength} bytes of PNG rows`, `${bytes}`);
}

function inflate(data: Uint8Array, most: number, where: string): Uint8Array {
  try {
    return inflateSync(data, { maxOutputLength: most, chunkSize: Math.max(64, most + 1) });
  } catch (cause) {
    const what = `PNG rows that do not unpack (${(cause as Error).message})`;
    throw new ProtocolError({ where, what, allowed: `${most} bytes`, kind: "frame", cause });
  }
}

function wrong(where: string, what: string, allowed: string): ProtocolError {
  return new ProtocolError({ where, what, allowed, kind: "frame" });
}

/** @param filter a code of pngFilters: what the client asked for */
export function encodeRgbaPng(
  { width, height, rgba }: RgbaImage,
  filter: number = pngFilters.paeth,
): Uint8Array {
  const header = new Uint8Array(8 + kind.length);
  viewOf(header).setUint32(0, width);
  viewOf(header).setUint32(4, height);
  header.set(kind, 8);
  const rows = filterRows(rgba, { width, height }, filter);
  const data = deflateSync(rows, { level: 1, strategy: constants.Z_FILTERED });
  return joined(
    signature,
    encodeChunk("IHDR", header),
    encodeChunk("IDAT", data),
    encodeChunk("IEND", new Uint8Array(0)),
  );
}

function encodeChunk(name: string, data: Uint8Array): Uint8Array {
  const chunk = joined(new Uint8Array(4), Buffer.from(name, "latin1"), data, new Uint8Array(4));
  const view = viewOf(chunk);
  view.setUint32(0, data.byteLength);
  view.setUint32(chunk.byteLength - 4, crc32(chunk.subarray(4, -4)));
  return chunk;
}
