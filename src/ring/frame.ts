// A frame as a reader is given it: numbers copied and checked, bytes as views into the ring.
import { type Descriptor, type Dtype, elementCount } from "./descriptor.ts";
import { check, type Handle, lib, monotonicNs, RingError } from "./ffi.ts";
import { decodeFields, type FieldValue } from "./fields.ts";
import { unknownTime } from "./layout.ts";
import { decodeMessage } from "./message.ts";
import { decodeReference, type FrameReference } from "./reference.ts";

/** sizeof(streamem_frame); shim.c asserts it. */
export const frameStructBytes = 160;
// offsets in streamem_frame
const at = {
  data: 0,
  fields: 8,
  ring: 16,
  sequence: 32,
  missed: 40,
  payloadBytes: 48,
  deviceTime: 56,
  captureTimeNs: 64,
  timeErrorNs: 72,
  publishTimeNs: 80,
  publishUtcNs: 88,
  clockEpoch: 96,
  fieldsBytes: 100,
  dimensions: 104,
  shape: 112,
  generation: 144,
};

/** Any of JavaScript's typed arrays. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

const arrayOf: Record<
  string,
  new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => TypedArray
> = {
  u1: Uint8Array,
  b1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  u8: BigUint64Array,
  i8: BigInt64Array,
  f4: Float32Array,
  f8: Float64Array,
};

/** `bytes` as the typed array of `dtype`; records and big-endian numbers stay bytes. */
export function asArray(bytes: Uint8Array, dtype: Dtype): TypedArray {
  if (typeof dtype !== "string" || dtype.startsWith(">")) return bytes;
  const type = arrayOf[dtype.replace(/^[<|=]/, "")];
  if (!type) return bytes;
  const item = Number(dtype.replace(/^[<|=]?[a-z]/, ""));
  return new type(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / item));
}

/** The mapping of one generation, as the reader holds it. */
export interface Mapping {
  buffer: ArrayBuffer;
  base: number;
  ring: Handle;
  descriptor: Descriptor;
}

/**
 * One frame. `data` and `array` are views into shared memory mapped read-only: writing to them ends the
 * process, and the writer overwrites them `slots - 1` frames later. Ask `valid()` after use, or `copy()`.
 */
export class Frame {
  /** Sequence within its generation, from 1. */
  readonly seq: bigint;
  /** Frames published between the one given before and this one. */
  readonly missed: bigint;
  /** The payload, no copy. */
  readonly data: Uint8Array;
  readonly shape: number[];
  readonly dtype: Dtype;
  /** Random id of the ring, 32 hex digits: sequences compare only within one. */
  readonly generation: string;
  readonly deviceTime: bigint | null;
  /** The instant of capture on CLOCK_MONOTONIC, ns. */
  readonly captureTimeNs: bigint | null;
  /** Bound of the error of captureTimeNs, ns. */
  readonly timeErrorNs: bigint | null;
  readonly clockEpoch: number;
  readonly publishTimeNs: bigint;
  readonly publishUtcNs: bigint;
  readonly #struct: Uint8Array;
  readonly #descriptor: Descriptor;
  readonly #fieldBytes: Uint8Array;

  /** For the reader: `struct` is a streamem_frame that belongs to this object from now on. Throws RingError
   *  ESTALE when the fields were overwritten while they were copied. */
  constructor(struct: Uint8Array, mapping: Mapping) {
    const view = new DataView(struct.buffer, struct.byteOffset, struct.byteLength);
    const u64 = (offset: number) => view.getBigUint64(offset, true);
    const time = (offset: number) => (u64(offset) === unknownTime ? null : u64(offset));
    this.#struct = struct;
    this.#descriptor = mapping.descriptor;
    this.seq = u64(at.sequence);
    this.missed = u64(at.missed);
    this.data = new Uint8Array(
      mapping.buffer,
      Number(u64(at.data)) - mapping.base,
      Number(u64(at.payloadBytes)),
    );
    this.dtype = mapping.descriptor.dtype;
    const dimensions = view.getUint32(at.dimensions, true);
    this.shape =
      dimensions === 0
        ? mapping.descriptor.shape
        : Array.from({ length: dimensions }, (_, i) => view.getUint32(at.shape + 4 * i, true));
    this.generation = mapping.descriptor.shm.generation;
    this.deviceTime = time(at.deviceTime);
    this.captureTimeNs = time(at.captureTimeNs);
    this.timeErrorNs = time(at.timeErrorNs);
    this.publishTimeNs = u64(at.publishTimeNs);
    this.publishUtcNs = u64(at.publishUtcNs);
    this.clockEpoch = view.getUint32(at.clockEpoch, true);
    const fieldsBytes = view.getUint32(at.fieldsBytes, true);
    this.#fieldBytes = new Uint8Array(fieldsBytes);
    if (fieldsBytes > 0) {
      check("copying the fields", () =>
        lib.streamem_copy_fields(struct, this.#fieldBytes, fieldsBytes),
      );
    }
  }

  /** The payload as the typed array of its dtype, no copy; bytes where the dtype is a record. */
  get array(): TypedArray {
    return asArray(this.data, this.dtype);
  }

  /** The per-frame fields by name: numbers, bigints for 64-bit integers, typed arrays where they have a shape. */
  get fields(): Record<string, FieldValue> {
    return decodeFields(this.#fieldBytes, this.#descriptor.fields);
  }

  /** Nanoseconds since capture, or since publishing where the capture time is unknown. */
  get ageNs(): bigint {
    return monotonicNs() - (this.captureTimeNs ?? this.publishTimeNs);
  }

  /** What a `message` frame says, by the descriptor's encoding; bytes where it names none. A checked copy. */
  get message(): unknown {
    return decodeMessage(this.copy(), this.#descriptor.encoding);
  }

  /** Name of its stream. */
  get stream(): string {
    return this.#descriptor.name;
  }

  /** The frame that this one was computed from; null where it names none. */
  get refersTo(): FrameReference | null {
    return decodeReference(this.#fieldBytes, this.#descriptor.fields);
  }

  /** Whether the views are still whole. A yes covers everything read before the question. */
  valid(): boolean {
    return lib.streamem_valid(this.#struct) === 1;
  }

  /**
   * An owned, checked copy of the payload, into `out` if given (at least as long as the payload).
   * Throws RingError ESTALE when the writer overwrote the frame meanwhile, ENOSPC when `out` is too small.
   */
  copy(out: Uint8Array = new Uint8Array(this.data.byteLength)): Uint8Array {
    if (this.data.byteLength === 0) return out;
    if (out.byteLength < this.data.byteLength) {
      throw new RingError(
        "ENOSPC",
        `copy(out): ${out.byteLength} bytes given, the frame has ${this.data.byteLength}`,
      );
    }
    check(`frame ${this.seq} of ${this.#descriptor.name} was overwritten while being copied`, () =>
      lib.streamem_copy(this.#struct, out, out.byteLength),
    );
    return out;
  }

  /** Elements of this frame's shape. */
  get length(): number {
    return elementCount(this.shape);
  }
}

/** Sequence of a filled streamem_frame, before it is made a Frame. */
export function sequenceOf(struct: Uint8Array): bigint {
  return new DataView(struct.buffer, struct.byteOffset).getBigUint64(at.sequence, true);
}
