/** Zstandard with a known size: memory is given for that, whatever the compressed bytes claim. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ProtocolError } from "./protocol-error.ts";

/** A compressor that knows its size may still use the smallest usual window. */
const smallestWindowLog = 20;

/** @throws ProtocolError `frame` unless exactly `size` bytes come out */
export function inflateZstd(
  compressed: Uint8Array,
  { size, where }: { size: number; where: string },
): Uint8Array {
  const options = {
    maxOutputLength: size + 1,
    chunkSize: Math.max(64, size + 1),
    params: { [constants.ZSTD_d_windowLogMax]: windowLog(size) },
  };
  let inflated: Uint8Array;
  try {
    inflated = zstdDecompressSync(compressed, options);
  } catch (cause) {
    const what = `zstd bytes that do not unpack (${(cause as Error).message})`;
    throw new ProtocolError({
      where,
      what,
      allowed: `${size} bytes unpacked`,
      kind: "frame",
      cause,
    });
  }
  if (inflated.byteLength === size) return inflated;
  const what = `${inflated.byteLength} bytes unpacked`; // what is cut short is not said to be
  throw new ProtocolError({ where, what, allowed: `${size}, as announced`, kind: "frame" });
}

function windowLog(size: number): number {
  return Math.max(smallestWindowLog, Math.ceil(Math.log2(size + 1)));
}

export function deflateZstd(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}
