// A message says which frame of another stream it was computed from: native/LAYOUT.md, "Message streams".
import type { FieldSpec } from "./descriptor.ts";
import { RingError } from "./ffi.ts";
import type { Frame } from "./frame.ts";
import { unknownTime } from "./layout.ts";

/** A frame by the name of its stream, the generation of its ring (32 hex digits), and its sequence. */
export interface FrameReference {
  stream: string;
  generation: string;
  sequence: bigint;
  /** Its instant of capture on CLOCK_MONOTONIC, ns; null where unknown. */
  captureTimeNs: bigint | null;
}

/** What a descriptor whose frames refer to others has first in `fields`; message streams have it by default. */
export const referenceFields = [
  { name: "refers_to_sequence", dtype: "<u8", shape: [], offset: 0 },
  { name: "refers_to_capture_time_ns", dtype: "<u8", shape: [], offset: 8, unit: "ns" },
  { name: "refers_to_generation", dtype: "|u1", shape: [16], offset: 16 },
  { name: "refers_to_stream", dtype: "|u1", shape: [64], offset: 32 },
] satisfies FieldSpec[];

/** Bytes of the four in the metadata area. */
export const referenceBytes = 96;
const nameRule = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const generationRule = /^[0-9a-f]{32}$/;

/** Whether frames of a stream with these fields can say what they refer to. */
export function canRefer(fields: readonly FieldSpec[] | undefined): boolean {
  return referenceFields.every((wanted) =>
    fields?.some(
      ({ name, dtype, shape = [], offset }) =>
        name === wanted.name &&
        offset === wanted.offset &&
        dtype === wanted.dtype &&
        shape.join() === wanted.shape.join(),
    ),
  );
}

/** The reference in a metadata area, else null: whatever a writer put there is no error. */
export function decodeReference(
  area: Uint8Array,
  fields: readonly FieldSpec[] | undefined,
): FrameReference | null {
  if (area.byteLength < referenceBytes || !canRefer(fields)) return null;
  const bytes = Buffer.from(area.buffer, area.byteOffset, referenceBytes);
  const sequence = bytes.readBigUInt64LE(0);
  const captureTimeNs = bytes.readBigUInt64LE(8);
  const stream = bytes.toString("latin1", 32).replace(/\0+$/, "");
  if (sequence === 0n || !nameRule.test(stream)) return null;
  return {
    stream,
    generation: bytes.toString("hex", 16, 32),
    sequence,
    captureTimeNs: captureTimeNs === unknownTime ? null : captureTimeNs,
  };
}

/** The metadata area with the reference in its place, before what `fields` holds there already. Throws RingError EINVAL. */
export function encodeReference(reference: FrameReference, fields?: Uint8Array): Uint8Array {
  const { stream, generation, sequence, captureTimeNs } = reference;
  if (!nameRule.test(stream) || !generationRule.test(generation) || sequence < 1n) {
    throw new RingError(
      "EINVAL",
      `refersTo: "${stream}", generation "${generation}", sequence ${sequence} is no frame: a stream's name, 32 hexadecimal digits, 1 or more`,
    );
  }
  const area = Buffer.alloc(Math.max(referenceBytes, fields?.byteLength ?? 0));
  if (fields) area.set(fields);
  area.fill(0, 0, referenceBytes);
  area.writeBigUInt64LE(sequence, 0);
  area.writeBigUInt64LE(captureTimeNs ?? unknownTime, 8);
  area.write(generation, 16, "hex");
  area.write(stream, 32, "latin1");
  return area;
}

/** The reference to a frame that a reader gave. */
export function referenceTo(frame: Frame | FrameReference): FrameReference {
  if (!("seq" in frame)) return frame;
  const { stream, generation, seq: sequence, captureTimeNs } = frame;
  return { stream, generation, sequence, captureTimeNs };
}
