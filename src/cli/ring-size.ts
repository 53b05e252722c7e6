/** How much memory a ring will take, before there is one: the plan of streamem.h in numbers. */
import {
  defaultSlots,
  fieldsBytes,
  frameBytes,
  messageCapacityBytes,
  type StreamSpec,
} from "../ring/descriptor.ts";
import { constants, headerBytes, slotHeaderBytes } from "../ring/layout.ts";

/** A descriptor that is not written yet: those of real sensors have about this size. */
const descriptorBytes = 1024;

/** @returns null where the sensor learns from its device how large its frames are */
export function plannedBytes(spec: Partial<StreamSpec>, slots?: number): number | null {
  const capacity = plannedCapacity(spec);
  if (capacity === null || !spec.kind) return null;
  const { page_bytes, alignment } = constants;
  const unit = capacity >= page_bytes.value ? page_bytes.value : alignment.value;
  const payloadOffset = roundUp(slotHeaderBytes + roundUp(fieldsBytes(spec.fields), 8), unit);
  const stride = roundUp(payloadOffset + capacity, unit);
  const slotsOffset = roundUp(headerBytes + descriptorBytes, page_bytes.value);
  return slotsOffset + (slots ?? defaultSlots(spec.kind)) * stride;
}

function plannedCapacity({ kind, dtype, shape, strides }: Partial<StreamSpec>): number | null {
  const own = dtype && shape ? frameBytes({ dtype, shape, strides }) : null;
  if (kind === "message") return Math.max(own ?? 0, messageCapacityBytes);
  return own === null ? null : Math.max(own, 1);
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
