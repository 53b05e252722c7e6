// The bytes of a segment as native/layout.json gives them, and the checks that stand before any use of them.
import layout from "../../native/layout.json";

type Field = { name: string; offset: number; size: number };

function offsetsOf(fields: Field[]): Record<string, number> {
  return Object.fromEntries(fields.map((field) => [field.name, field.offset]));
}

/** Offsets by field name, computed from the specification: {segmentHeader: {magic: 0, …}, slotHeader: {…}}. */
export const offsets = {
  segmentHeader: offsetsOf(layout.segmentHeader),
  slotHeader: offsetsOf(layout.slotHeader),
};

export const constants = layout.constants;
export const headerBytes = constants.header_bytes.value;
export const slotHeaderBytes = constants.slot_header_bytes.value;
/** device_time, capture_time_ns and time_error_ns with this value are not known. */
export const unknownTime = BigInt(constants.unknown.value);

/** The part of the segment header that never changes within a generation. Sizes and offsets in bytes. */
export interface SegmentHeader {
  minor: number;
  totalBytes: number;
  generation: string;
  slotsOffset: number;
  slotStride: number;
  payloadCapacity: number;
  slotCount: number;
  fieldsOffset: number;
  fieldsCapacity: number;
  payloadOffset: number;
  descriptorOffset: number;
  descriptorBytes: number;
  wakeMode: "none" | "futex";
  writerPid: number;
  writerStartUtcNs: bigint;
}

/** Why a file is not a ring that this program can read. */
export class LayoutError extends Error {
  override name = "LayoutError";
}

/**
 * Parses and checks a segment header. `bytes` holds at least the first 256 bytes, `fileBytes` is the file's size.
 * Throws LayoutError with what is wrong; after it returns, no offset leads out of the file.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): SegmentHeader {
  if (bytes.byteLength < headerBytes) {
    throw new LayoutError(`truncated: ${bytes.byteLength} bytes, a header has ${headerBytes}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = offsets.segmentHeader as Record<string, number>;
  const u32 = (name: string) => view.getUint32(at[name] as number, true);
  const u64 = (name: string) => view.getBigUint64(at[name] as number, true);
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 8)) !== layout.magic) {
    throw new LayoutError(`not a streamem ring: it does not begin with ${layout.magic}`);
  }
  const major = view.getUint16(at.major as number, true);
  if (major !== layout.major) {
    throw new LayoutError(
      `layout major version ${major}, this reader knows ${layout.major}: update the older side`,
    );
  }
  const total = u64("total_bytes");
  if (BigInt(fileBytes) < total) throw new LayoutError(`truncated: ${fileBytes} bytes of ${total}`);
  const slots = u64("slots_offset");
  const stride = u64("slot_stride");
  const capacity = u64("payload_capacity");
  const need = (condition: boolean, rule: string) => {
    if (!condition) throw new LayoutError(`damaged header, it breaks ${rule}`);
  };
  const slotCount = u32("slot_count");
  const fieldsOffset = u32("fields_offset");
  const fieldsCapacity = u32("fields_capacity");
  const payloadOffset = u32("payload_offset");
  const descriptorOffset = u32("descriptor_offset");
  const descriptorBytes = u32("descriptor_bytes");
  const { slot_count_min, slot_count_max, fields_bytes_max, descriptor_bytes_max } = constants;
  need(u32("header_bytes") >= headerBytes, "header_bytes >= 256");
  need(
    slotCount >= slot_count_min.value && slotCount <= slot_count_max.value,
    "4 <= slot_count <= 65536",
  );
  need(u32("slot_header_bytes") >= slotHeaderBytes, "slot_header_bytes >= 128");
  need(
    fieldsOffset >= u32("slot_header_bytes") && fieldsOffset % 8 === 0,
    "fields_offset after the slot header",
  );
  need(fieldsCapacity <= fields_bytes_max.value, "fields_capacity <= 65536");
  need(fieldsOffset + fieldsCapacity <= payloadOffset, "fields before the payload");
  need(payloadOffset % 64 === 0, "payload_offset % 64 == 0");
  need(BigInt(payloadOffset) + capacity <= stride, "payload within the slot");
  need(stride % 64n === 0n && slots % 64n === 0n, "slots aligned to 64");
  need(slots + stride * BigInt(slotCount) <= total, "slots within total_bytes");
  need(descriptorOffset >= u32("header_bytes"), "descriptor after the header");
  need(descriptorBytes <= descriptor_bytes_max.value, "descriptor_bytes <= 65536");
  need(BigInt(descriptorOffset) + BigInt(descriptorBytes) <= slots, "descriptor before the slots");
  return {
    minor: view.getUint16(at.minor as number, true),
    totalBytes: Number(total),
    generation: Buffer.from(bytes.subarray(at.generation, (at.generation as number) + 16)).toString(
      "hex",
    ),
    slotsOffset: Number(slots),
    slotStride: Number(stride),
    payloadCapacity: Number(capacity),
    slotCount,
    fieldsOffset,
    fieldsCapacity,
    payloadOffset,
    descriptorOffset,
    descriptorBytes,
    wakeMode: u32("wake_mode") === constants.wake_futex.value ? "futex" : "none",
    writerPid: u32("writer_pid"),
    writerStartUtcNs: u64("writer_start_utc_ns"),
  };
}

/** A slot header's numbers; null where the times are unknown. */
export interface SlotHeader {
  begin: bigint;
  end: bigint;
  deviceTime: bigint | null;
  captureTimeNs: bigint | null;
  timeErrorNs: bigint | null;
  publishTimeNs: bigint;
  publishUtcNs: bigint;
  payloadBytes: bigint;
  clockEpoch: number;
  fieldsBytes: number;
  /** The frame's own shape, null where the descriptor's holds. */
  shape: number[] | null;
  dimensions: number;
}

/** Reads a slot header out of `view` at `offset`. Checks nothing but the count of dimensions. */
export function parseSlotHeader(view: DataView, offset: number): SlotHeader {
  const at = offsets.slotHeader as Record<string, number>;
  const u32 = (name: string) => view.getUint32(offset + (at[name] as number), true);
  const u64 = (name: string) => view.getBigUint64(offset + (at[name] as number), true);
  const time = (name: string) => {
    const value = u64(name);
    return value === unknownTime ? null : value;
  };
  const dimensions = u32("dimensions");
  const own = dimensions > 0 && dimensions <= constants.dimensions_max.value;
  return {
    begin: u64("begin"),
    end: u64("end"),
    deviceTime: time("device_time"),
    captureTimeNs: time("capture_time_ns"),
    timeErrorNs: time("time_error_ns"),
    publishTimeNs: u64("publish_time_ns"),
    publishUtcNs: u64("publish_utc_ns"),
    payloadBytes: u64("payload_bytes"),
    clockEpoch: u32("clock_epoch"),
    fieldsBytes: u32("fields_bytes"),
    dimensions,
    shape: own
      ? Array.from({ length: dimensions }, (_, i) =>
          view.getUint32(offset + (at.shape as number) + 4 * i, true),
        )
      : null,
  };
}
