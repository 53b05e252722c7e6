/**
 * From decoded planes and unpacked codes into slots, in one pass over the pixels (native/pixels.c). The
 * same loops in JavaScript, in wire/, are slower and easier to read; tests hold one to the other.
 */
import { lib } from "../../../src/ring/ffi.ts";
import type { Frame } from "../../video/ffmpeg.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import type { PngRows } from "../wire/rgba-png.ts";
import type { ZdepthLists } from "../wire/zdepth.ts";

export interface Size {
  width: number;
  height: number;
}

/** Y, U or V of a picture as the decoder holds it, valid as long as the picture. */
export interface Plane {
  data: Uint8Array;
  /** Bytes from one row to the next. */
  stride: number;
}

export function planeOf(frame: Frame, number: number): Plane {
  const data = frame.data?.[number];
  if (!data) throw new RangeError(`a picture without plane ${number}`);
  return { data, stride: frame.linesize[number] as number };
}

type RowLoop =
  | "streamem_copy_rows"
  | "streamem_triple_rows"
  | "streamem_ahat_depth"
  | "streamem_ahat_ab_luma";

function overRows(loop: RowLoop, { data, stride }: Plane, { width, height }: Size, slot: Slot) {
  const given = [slot, slot.byteLength, data, data.byteLength, stride] as const;
  check(lib[loop](...given, whole(width), whole(height)));
}

/** Memory to be written; more than is needed may be given. */
type Slot = Uint8Array;

/** The bytes as they are, without the ends of the rows. */
export function copyRows(plane: Plane, size: Size, slot: Slot): void {
  overRows("streamem_copy_rows", plane, size, slot);
}

/** Each byte three times: grey as blue, green, red. */
export function tripleRows(plane: Plane, size: Size, slot: Slot): void {
  overRows("streamem_triple_rows", plane, size, slot);
}

/** See wire/ahat-picture.ts, unpackAhatDepth. */
export function unpackDepth(y: Plane, size: Size, slot: Slot): void {
  overRows("streamem_ahat_depth", y, size, slot);
}

/** See wire/ahat-picture.ts, unpackAhatAbLuma. */
export function unpackAbLuma(y: Plane, size: Size, slot: Slot): void {
  overRows("streamem_ahat_ab_luma", y, size, slot);
}

/** See wire/ahat-picture.ts, unpackAhatAb. */
export function unpackAb({ u, v }: { u: Plane; v: Plane }, { width, height }: Size, slot: Slot) {
  const chroma = [
    u.data,
    u.data.byteLength,
    u.stride,
    v.data,
    v.data.byteLength,
    v.stride,
  ] as const;
  check(lib.streamem_ahat_ab(slot, slot.byteLength, ...chroma, whole(width), whole(height)));
}

/** See wire/zdepth.ts. Throws a ProtocolError `frame` where a list runs out. */
export function unpackZdepth(lists: ZdepthLists, slot: Slot, where: string): void {
  const parts = [lists.zeroMap, lists.predictors, lists.edges, lists.surfaces];
  const [map, predictors, edges, surfaces] = parts.map(someBytes) as [Part, Part, Part, Part];
  const given = [...map, ...predictors, ...edges, ...surfaces] as [
    ...Part,
    ...Part,
    ...Part,
    ...Part,
  ];
  const target = [slot, slot.byteLength] as const;
  const result = lib.streamem_zdepth(...target, ...given, whole(lists.width), whole(lists.height));
  if (result === broken) {
    const what = "Zdepth with fewer codes than pixels that are not zero";
    throw new ProtocolError({ where, what, allowed: "a code for each", kind: "frame" });
  }
  check(result);
}

/**
 * Rows of an RGBA PNG, which are changed, to the two planes of far depth (wire/longthrow-payload.ts).
 * Throws a ProtocolError `frame` for a filter that there is not.
 */
export function unpackPngPlanes(
  { rows, width, height }: PngRows,
  { depth, ab }: { depth: Slot; ab: Slot },
  where: string,
): void {
  const targets = [depth, depth.byteLength, ab, ab.byteLength] as const;
  const given = [...targets, rows, rows.byteLength] as const;
  const result = lib.streamem_unfilter_planes(...given, whole(width), whole(height));
  if (result === broken) {
    const what = "an unknown PNG row filter";
    throw new ProtocolError({ where, what, allowed: "0 to 4", kind: "frame" });
  }
  check(result);
}

/** STREAMEM_BROKEN of pixels.c. */
const broken = -2;

function check(result: number): void {
  if (result !== 0) throw new RangeError("planes or slots too small for the picture");
}

/**
 * Without a C compiler, Bun's own compiles the library, and its calls take a u32 from the lower half of a
 * double if the engine happens to hold the number as one.
 */
function whole(size: number): number {
  return size | 0;
}

type Part = [bytes: Uint8Array, length: number];
const nothing = new Uint8Array(1);

/** There is no pointer to an empty array. */
function someBytes(part: Uint8Array): Part {
  return [part.byteLength === 0 ? nothing : part, part.byteLength];
}
