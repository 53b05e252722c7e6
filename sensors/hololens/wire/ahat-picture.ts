/**
 * Depth and active brightness of the AHAT camera inside one 4:2:0 picture. Streams are decoded
 * by the same loops in native/pixels.c; the ones here encode, and are what tests hold those to.
 *
 * Y is depth / 4 (its low 8 bits); the chroma bytes, in NV12's order, are the square roots of every other
 * pixel's active brightness. So U number j codes pixel 4j and V number j pixel 4j + 2, counted row by row.
 */
import { ahatInvalidFrom } from "./ahat-payload.ts";

/** A plane as a decoder gives it: rows may be longer than the picture. */
export interface Plane {
  data: Uint8Array;
  stride: number;
}

export interface Size {
  width: number;
  height: number;
}

/** @param depth width * height values */
export function unpackAhatDepth(
  { data, stride }: Plane,
  { width, height }: Size,
  depth: Uint16Array,
) {
  for (let row = 0, at = 0; row < height; row++) {
    const from = row * stride;
    for (let column = 0; column < width; column++) {
      depth[at++] = (data[from + column] as number) << 2;
    }
  }
}

/** From planar chroma (I420). A row of the image has half a row of each plane. */
export function unpackAhatAb(
  { u, v }: { u: Plane; v: Plane },
  { width, height }: Size,
  ab: Uint16Array,
) {
  const quarter = width >> 2;
  for (let row = 0, at = 0; row < height; row++) {
    const side = (row & 1) * quarter;
    const fromU = (row >> 1) * u.stride + side;
    const fromV = (row >> 1) * v.stride + side;
    for (let column = 0; column < quarter; column++, at += 4) {
      const atU = u.data[fromU + column] as number;
      const atV = v.data[fromV + column] as number;
      ab[at] = ab[at + 1] = atU * atU;
      ab[at + 2] = ab[at + 3] = atV * atV;
    }
  }
}

/** From interleaved chroma (NV12). */
export function unpackAhatAbNv12(
  { data, stride }: Plane,
  { width, height }: Size,
  ab: Uint16Array,
) {
  const half = width >> 1;
  for (let row = 0, at = 0; row < height; row++) {
    const from = (row >> 1) * stride + (row & 1) * half;
    for (let column = 0; column < half; column++, at += 2) {
      const root = data[from + column] as number;
      ab[at] = ab[at + 1] = root * root;
    }
  }
}

/** With depth profile Zdepth the picture is active brightness alone: each Y is a pixel's square root. */
export function unpackAhatAbLuma(
  { data, stride }: Plane,
  { width, height }: Size,
  ab: Uint16Array,
) {
  for (let row = 0, at = 0; row < height; row++) {
    const from = row * stride;
    for (let column = 0; column < width; column++) {
      const root = data[from + column] as number;
      ab[at++] = root * root;
    }
  }
}

/** What the server does with depth first of all, in every variant. */
export function withoutInvalidDepth(depth: Uint16Array): Uint16Array {
  return depth.map((value) => (value >= ahatInvalidFrom ? 0 : value));
}

/** Of the server: whole part of the root, both rounded to half precision on the way. */
const roots = Uint8Array.from({ length: 65536 }, (_, ab) => {
  return Math.min(255, Math.trunc(Math.f16round(Math.sqrt(Math.f16round(ab)))));
});

/** NV12: Y, then chroma, without row padding. Depths from 1024 on wrap, as they do on the device. */
export function packAhatNv12(
  { depth, ab }: { depth: Uint16Array; ab: Uint16Array },
  { width, height }: Size,
): Uint8Array {
  const pixels = width * height;
  const picture = new Uint8Array(pixels + pixels / 2);
  for (let i = 0; i < pixels; i++) {
    const value = depth[i] as number;
    picture[i] = value >= ahatInvalidFrom ? 0 : value >> 2;
  }
  for (let k = 0; k < pixels / 2; k++) {
    picture[pixels + k] = roots[ab[2 * k] as number] as number;
  }
  return picture;
}

/** NV12 of active brightness alone (depth profile Zdepth), chroma 128. */
export function packAhatAbNv12(ab: Uint16Array): Uint8Array {
  const picture = new Uint8Array(ab.length + ab.length / 2).fill(128, ab.length);
  for (let i = 0; i < ab.length; i++) picture[i] = roots[ab[i] as number] as number;
  return picture;
}
