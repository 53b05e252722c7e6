// What a writer says about one frame, and how C is told.
import type { StreamSpec } from "./descriptor.ts";
import { RingError } from "./ffi.ts";
import type { Frame } from "./frame.ts";
import { unknownTime } from "./layout.ts";
import { canRefer, encodeReference, type FrameReference, referenceTo } from "./reference.ts";

/** What is known about one frame. Unknown times stay out. */
export interface FrameMeta {
  /** The device's own ticks. */
  deviceTime?: bigint | undefined;
  /** The instant of capture on CLOCK_MONOTONIC, ns. */
  captureTimeNs?: bigint | undefined;
  /** Bound of the error of captureTimeNs, ns. */
  timeErrorNs?: bigint | undefined;
  /** Grows when the device's clock was reset. */
  clockEpoch?: number | undefined;
  /** This frame's own shape where it is not the descriptor's. */
  shape?: readonly number[] | undefined;
  /** Metadata bytes laid out by descriptor.fields. */
  fields?: Uint8Array | undefined;
  /**
   * The frame that this one was computed from, as a reader gave it or by its numbers. Unless captureTimeNs is given, this
   * frame then has that one's instant of capture, with its error and epoch.
   */
  refersTo?: Frame | FrameReference | null | undefined;
}

/**
 * Completed: a message states its length as its shape; what refers to a frame has the bytes that say so and, by default,
 * that frame's time. Throws RingError EINVAL.
 */
export function wholeMeta(meta: FrameMeta, spec: StreamSpec, payloadBytes: number): FrameMeta {
  const { refersTo } = meta;
  if (spec.kind !== "message" && !refersTo) return meta;
  const whole = spec.kind === "message" ? { ...meta, shape: [payloadBytes] } : { ...meta };
  if (!refersTo) return whole;
  if (!canRefer(spec.fields)) {
    throw new RingError(
      "EINVAL",
      "the stream cannot refer to a frame: its `fields` do not begin with referenceFields",
    );
  }
  const reference = referenceTo(refersTo);
  whole.fields = encodeReference(reference, meta.fields);
  if (meta.captureTimeNs !== undefined) return whole;
  whole.captureTimeNs = reference.captureTimeNs ?? undefined;
  if ("seq" in refersTo) {
    whole.timeErrorNs = refersTo.timeErrorNs ?? undefined;
    whole.clockEpoch = refersTo.clockEpoch;
  }
  return whole;
}

// offsets in streamem_meta
const metaAt = { clockEpoch: 24, fieldsBytes: 28, dimensions: 32, shape: 36 };

/** A streamem_meta, filled anew for each frame. */
export class MetaStruct {
  readonly bytes = new Uint8Array(72);
  readonly #view = new DataView(this.bytes.buffer);

  fill(meta: FrameMeta): Uint8Array {
    const view = this.#view;
    view.setBigUint64(0, meta.deviceTime ?? unknownTime, true);
    view.setBigUint64(8, meta.captureTimeNs ?? unknownTime, true);
    view.setBigUint64(16, meta.timeErrorNs ?? unknownTime, true);
    view.setUint32(metaAt.clockEpoch, meta.clockEpoch ?? 0, true);
    view.setUint32(metaAt.fieldsBytes, meta.fields?.byteLength ?? 0, true);
    view.setUint32(metaAt.dimensions, meta.shape?.length ?? 0, true);
    for (let i = 0; i < 8; i++) view.setUint32(metaAt.shape + 4 * i, meta.shape?.[i] ?? 0, true);
    return this.bytes;
  }
}
