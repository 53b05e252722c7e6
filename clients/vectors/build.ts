// Builds one ring file byte by byte from native/layout.json. It shares no code with any reader or
// writer of the project: a vector made by the code it is to test would prove nothing.
import { createHash } from "node:crypto";
import layout from "../../native/layout.json";

/** What one frame says. The bytes of payload and metadata follow from seq. */
export interface FrameSpec {
  seq: bigint;
  payloadBytes?: number;
  fieldsBytes?: number;
  /** Its own shape; without one the descriptor's holds. */
  shape?: number[];
  timesUnknown?: boolean;
  clockEpoch?: number;
  /** The metadata area instead of the one that follows from seq. */
  fields?: StatedFields;
}

/** A metadata area that means something to a reader, and what. */
export interface StatedFields {
  bytes: Buffer;
  values: Record<string, string | string[]>;
  refersTo: FrameAnswer["refersTo"];
}

/** Where things lie. What is left out is small and regular. */
export interface RingSpec {
  slotCount?: number;
  payloadCapacity?: number;
  fieldsCapacity?: number;
  headerBytes?: number;
  slotHeaderBytes?: number;
  slotsAlignment?: number;
  /** Members laid over those of the usual descriptor. */
  descriptor?: Record<string, unknown>;
  /** These bytes instead of the descriptor's JSON. */
  descriptorBytes?: Uint8Array;
}

/** What a reader answers for one frame; README.md says it member by member. */
export interface FrameAnswer {
  seq: string;
  dimensions: number;
  shape: number[] | null;
  deviceTime: string | null;
  captureTimeNs: string | null;
  timeErrorNs: string | null;
  clockEpoch: number;
  publishTimeNs: string;
  publishUtcNs: string;
  fields: string;
  fieldValues: Record<string, string | string[]>;
  /** Only of vectors that state it. */
  refersTo?: {
    stream: string;
    generation: string;
    sequence: string;
    captureTimeNs: string | null;
  } | null;
  payload: string;
}

interface Field {
  name: string;
  offset: number;
  size: number;
}

const { constants } = layout;
const UNKNOWN = BigInt(constants.unknown.value);
const START_UTC_NS = 1_750_000_000_000_000_000n;

/** The metadata that every vector but "no-fields" describes: 16 bytes. */
const FIELDS = [
  { name: "exposure", dtype: "<u8", shape: [], offset: 0, unit: "ns" },
  { name: "gain", dtype: "<u4", shape: [], offset: 8, unit: "1" },
  { name: "temperatures", dtype: "<i2", shape: [2], offset: 12, unit: "cK" },
];

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;

function find(table: Field[], name: string): Field {
  const field = table.find((entry) => entry.name === name);
  if (!field) throw new Error(`native/layout.json has no field "${name}"`);
  return field;
}

function putInt(bytes: Uint8Array, at: number, size: number, value: number | bigint): void {
  const wide = BigInt(value);
  for (let i = 0; i < size; i++) bytes[at + i] = Number((wide >> BigInt(8 * i)) & 0xffn);
}

/** Every 8-byte word depends on seq and on its place, so a mixture of two frames shows anywhere. */
function pattern(seq: bigint, length: number, salt: bigint): Buffer {
  const words = Buffer.alloc(roundUp(length, 8));
  for (let at = 0; at < words.length; at += 8) {
    putInt(words, at, 8, seq * 0x9e3779b97f4a7c15n + BigInt(at) * 0x100000001b3n + salt);
  }
  return words.subarray(0, length);
}

/** FIELDS read out of a metadata area; those that end after it are left out. */
function fieldValues(area: Buffer): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = {};
  if (area.length >= 8) values.exposure = area.readBigUInt64LE(0).toString();
  if (area.length >= 12) values.gain = area.readUInt32LE(8).toString();
  if (area.length >= 16) values.temperatures = [12, 14].map((at) => `${area.readInt16LE(at)}`);
  return values;
}

/** One ring file in memory: filled with publish(), then damaged with header(), slot() and cut(). */
export class Ring {
  readonly generation: string;
  readonly descriptor: Record<string, unknown>;
  bytes: Buffer;
  private readonly spec: Required<
    Pick<RingSpec, "slotCount" | "payloadCapacity" | "fieldsCapacity">
  >;
  private readonly slotsOffset: number;
  private readonly slotStride: number;
  private readonly fieldsOffset: number;
  private readonly payloadOffset: number;

  constructor(name: string, given: RingSpec = {}) {
    this.spec = { slotCount: 4, payloadCapacity: 64, fieldsCapacity: 16, ...given };
    const { slotCount, payloadCapacity, fieldsCapacity } = this.spec;
    const headerBytes = given.headerBytes ?? constants.header_bytes.value;
    const alignment = constants.alignment.value;
    this.fieldsOffset = given.slotHeaderBytes ?? constants.slot_header_bytes.value;
    this.payloadOffset = roundUp(this.fieldsOffset + fieldsCapacity, alignment);
    this.slotStride = roundUp(this.payloadOffset + payloadCapacity, alignment);
    this.generation = createHash("sha256").update(name).digest("hex").slice(0, 32);
    this.descriptor = { ...this.describe(name), ...given.descriptor };
    const text = given.descriptorBytes ?? Buffer.from(JSON.stringify(this.descriptor));
    this.slotsOffset = roundUp(headerBytes + text.length, given.slotsAlignment ?? alignment);
    this.bytes = Buffer.alloc(this.slotsOffset + slotCount * this.slotStride);
    this.bytes.write(layout.magic, find(layout.segmentHeader, "magic").offset, "latin1");
    this.bytes.write(this.generation, find(layout.segmentHeader, "generation").offset, "hex");
    this.bytes.set(text, headerBytes);
    this.header({
      major: layout.major,
      minor: layout.minor,
      header_bytes: headerBytes,
      total_bytes: this.bytes.length,
      slots_offset: this.slotsOffset,
      slot_stride: this.slotStride,
      payload_capacity: payloadCapacity,
      slot_count: slotCount,
      slot_header_bytes: this.fieldsOffset,
      fields_offset: this.fieldsOffset,
      fields_capacity: fieldsCapacity,
      payload_offset: this.payloadOffset,
      descriptor_offset: headerBytes,
      descriptor_bytes: text.length,
      wake_mode: constants.wake_futex.value,
      writer_pid: 4242,
      writer_start_utc_ns: START_UTC_NS,
    });
  }

  /** Sets whole-number fields of the segment header by their names in layout.json. */
  header(values: Record<string, number | bigint>): this {
    for (const [name, value] of Object.entries(values)) {
      const field = find(layout.segmentHeader, name);
      putInt(this.bytes, field.offset, field.size, value);
    }
    return this;
  }

  /** The same for the slot header of the slot that seq belongs to. */
  slot(seq: bigint, values: Record<string, number | bigint>): this {
    for (const [name, value] of Object.entries(values)) {
      const field = find(layout.slotHeader, name);
      putInt(this.bytes, this.slotStart(seq) + field.offset, field.size, value);
    }
    return this;
  }

  /** Writes shape's entries alone, as a damaged or hostile slot would have them. */
  shape(seq: bigint, entries: number[]): this {
    const at = this.slotStart(seq) + find(layout.slotHeader, "shape").offset;
    for (const [i, entry] of entries.entries()) putInt(this.bytes, at + 4 * i, 4, entry);
    return this;
  }

  /** Writes the parts of a frame that lie between the stores of begin and end. */
  fill(frame: FrameSpec): this {
    const { fields, payload } = this.contents(frame);
    this.bytes.set(fields, this.slotStart(frame.seq) + this.fieldsOffset);
    this.bytes.set(payload, this.slotStart(frame.seq) + this.payloadOffset);
    this.shape(frame.seq, frame.shape ?? []);
    return this.slot(frame.seq, {
      ...this.times(frame),
      payload_bytes: payload.length,
      clock_epoch: frame.clockEpoch ?? 0,
      fields_bytes: fields.length,
      dimensions: frame.shape?.length ?? 0,
    });
  }

  /** Publishes whole frames, one after the other. */
  publish(...frames: FrameSpec[]): this {
    for (const frame of frames) {
      this.slot(frame.seq, { begin: frame.seq }).fill(frame).slot(frame.seq, { end: frame.seq });
      this.header({ latest: frame.seq, wake: frame.seq });
    }
    return this;
  }

  /** Keeps only the first bytes of the file. */
  cut(length: number): this {
    this.bytes = this.bytes.subarray(0, length);
    return this;
  }

  /** What a reader has to answer for a frame published here. */
  answer(frame: FrameSpec): FrameAnswer {
    const times = this.times(frame);
    const { fields, payload } = this.contents(frame);
    const known = (time: bigint) => (time === UNKNOWN ? null : time.toString());
    return {
      seq: frame.seq.toString(),
      dimensions: frame.shape?.length ?? 0,
      shape: frame.shape ?? (this.descriptor.shape as number[]),
      deviceTime: known(times.device_time),
      captureTimeNs: known(times.capture_time_ns),
      timeErrorNs: known(times.time_error_ns),
      clockEpoch: frame.clockEpoch ?? 0,
      publishTimeNs: times.publish_time_ns.toString(),
      publishUtcNs: times.publish_utc_ns.toString(),
      fields: fields.toString("hex"),
      fieldValues: frame.fields?.values ?? fieldValues(fields),
      ...(frame.fields && { refersTo: frame.fields.refersTo }),
      payload: payload.toString("hex"),
    };
  }

  private slotStart(seq: bigint): number {
    return this.slotsOffset + Number(seq % BigInt(this.spec.slotCount)) * this.slotStride;
  }

  private contents({ seq, payloadBytes, fieldsBytes, fields }: FrameSpec) {
    return {
      payload: pattern(seq, payloadBytes ?? this.spec.payloadCapacity, 1n),
      fields: fields?.bytes ?? pattern(seq, fieldsBytes ?? this.spec.fieldsCapacity, 2n),
    };
  }

  private times({ seq, timesUnknown }: FrameSpec) {
    const since = BigInt.asUintN(40, seq) * 33_333_333n;
    return {
      device_time: timesUnknown ? UNKNOWN : 90_000n + BigInt.asUintN(40, seq) * 3_000n,
      capture_time_ns: timesUnknown ? UNKNOWN : 5_000_000_000n + since,
      time_error_ns: timesUnknown ? UNKNOWN : 250_000n,
      publish_time_ns: 5_001_000_000n + since,
      publish_utc_ns: START_UTC_NS + since,
    };
  }

  private describe(name: string): Record<string, unknown> {
    return {
      name,
      kind: "tensor",
      dtype: "|u1",
      shape: [4, 16],
      dims: ["row", "column"],
      rate: 30,
      units: "1",
      clock: { name: "CLOCK_MONOTONIC", unit: "ns", epoch: "boot", method: "local" },
      fields: FIELDS,
      source: { kind: "vectors", address: "clients/vectors/generate.ts" },
      wake: null,
      shm: {
        object: `/streamem.${name}`,
        path: `/dev/shm/streamem.${name}`,
        generation: this.generation,
        slotCount: this.spec.slotCount,
        slotStride: this.slotStride,
        payloadCapacity: this.spec.payloadCapacity,
      },
    };
  }
}
