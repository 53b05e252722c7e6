/**
 * Far depth: a PNG whose pixels, as bytes B G R A, are two planes of u16: depth in millimetres (0: none),
 * then active brightness. The top half of the PNG is depth, each of its rows two rows of the image.
 */
import { ProtocolError } from "./protocol-error.ts";
import { joined, record, u64, viewOf } from "./record.ts";
import { decodeRgbaPng, encodeRgbaPng } from "./rgba-png.ts";

export const longthrowWidth = 320;
export const longthrowHeight = 288;

const footer = record({ sensorTicks: u64 });

export interface LongthrowParts {
  png: Uint8Array;
  /** Counts of 62.976 MHz. */
  sensorTicks: bigint;
}

export function splitLongthrow(payload: Uint8Array, where: string): LongthrowParts {
  const pngBytes = payload.byteLength - footer.bytes;
  if (pngBytes <= 0) {
    const allowed = `more than ${footer.bytes}`;
    throw new ProtocolError({ where, what: `${payload.byteLength} bytes`, allowed });
  }
  const { sensorTicks } = footer.read(viewOf(payload), pngBytes);
  return { png: payload.subarray(0, pngBytes), sensorTicks };
}

export function encodeLongthrowPayload({ png, sensorTicks }: LongthrowParts): Uint8Array {
  return joined(png, footer.encode({ sensorTicks }));
}

export interface LongthrowImage {
  width: number;
  height: number;
  depth: Uint16Array;
  ab: Uint16Array;
}

/** @throws ProtocolError `frame` */
export function decodeLongthrow(png: Uint8Array, where: string): LongthrowImage {
  const largest = { width: longthrowWidth, height: longthrowHeight };
  const { width, height, rgba } = decodeRgbaPng(png, { largest, where });
  swapRedAndBlue(rgba);
  const planes = new Uint16Array(rgba.buffer); // its own memory, so it begins where it must
  const pixels = width * height;
  return { width, height, depth: planes.subarray(0, pixels), ab: planes.subarray(pixels) };
}

/** @param filter a code of pngFilters */
export function encodeLongthrow({ width, height, depth, ab }: LongthrowImage, filter?: number) {
  const planes = new Uint16Array(2 * width * height);
  planes.set(depth);
  planes.set(ab, width * height);
  const rgba = new Uint8Array(planes.buffer);
  swapRedAndBlue(rgba);
  return encodeRgbaPng({ width, height, rgba }, filter);
}

/** In place; pixels of 4 bytes at a place in memory that is a multiple of 4. */
export function swapRedAndBlue(pixels: Uint8Array): void {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.byteLength >> 2);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    words[i] = (word & 0xff00ff00) | ((word >>> 16) & 0xff) | ((word & 0xff) << 16);
  }
}
