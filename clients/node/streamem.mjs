/**
 * streamem for Node: reads rings of sensor frames in shared memory. One file: copy it and import it.
 *
 *     import { open } from "./streamem.mjs";
 *     const camera = await open("rand-camera", { timeoutMs: 5000 });
 *     for await (const frame of camera) {                  // each frame in order
 *       console.log(frame.seq, frame.shape, frame.missed, frame.ageNs);
 *       const pixels = frame.array;                        // Uint8Array, Uint16Array, Float32Array … by its dtype
 *     }
 *
 * Needs Node 20 or later (or Bun) on little-endian Linux, and nothing else. It only reads.
 *
 * Node maps no memory, so a frame is read by four calls of pread: its slot's `end`, the slot header, metadata and payload, and
 * `begin`. Before them stands one that finds the newest frame. **Every frame is an owned copy**: it stays as it is, and one that was
 * overwritten while it was read is never handed out (`reader.overwritten` counts them). What that costs stands in
 * clients/node/README.md: five system calls and one copy a frame.
 *
 * A writer wakes a thread by a futex or through a socket that passes descriptors; Node can do neither, so waiting looks every 2 ms. Whether a
 * writer still lives is a question to its file lock (F_OFD_GETLK), which Node cannot ask: it is looked up in /proc/locks, by the ring's inode. Where that
 * cannot be read, a killed writer is not seen as dead; its successor is followed all the same.
 *
 * Sequences and times are BigInt: they have 64 bits. Times are ns on CLOCK_MONOTONIC unless the name says otherwise, null where
 * unknown. What goes wrong is a StreamemError whose `code` is that of the system's errors. native/LAYOUT.md is the contract.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from "node:fs";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";

/**
 * @typedef {"live" | "stalled" | "dead" | "retired"} State
 * @typedef {number | bigint | boolean | number[] | bigint[] | boolean[] | Uint8Array} FieldValue
 * @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | BigUint64Array | BigInt64Array | Float32Array | Float64Array} TypedArray
 * @typedef {string | [string, unknown, number[]?][]} Dtype NumPy's typestr, or its descr list
 * @typedef {{ name: string, dtype: string, shape?: number[] | null, offset: number, unit?: string | null }} FieldSpec
 * @typedef {{ name?: string, kind?: string, dtype?: Dtype, shape?: number[], rate?: number | null, encoding?: string, fields?: FieldSpec[], wake?: string | null, [more: string]: unknown }} Descriptor
 *   what a stream says about itself; nothing in it is certain to be there, it is the writer's word
 * @typedef {{ stream: string, generation: string, sequence: bigint, captureTimeNs: bigint | null }} Reference
 * @typedef {{ timeoutMs?: number, prefix?: string }} OpenOptions timeoutMs: how long to wait until the stream is there, default 0
 * @typedef {{ data: Uint8Array, shape: number[] | null, sequences: bigint[] }} Stack
 */

/** What went wrong, in words; `code` as the system would say it: ENOENT, EACCES, EBADMSG, EPROTO, ERANGE, EINVAL, EBADF. */
export class StreamemError extends Error {
  /** @param {string} code @param {string} words */
  constructor(code, words) {
    super(words);
    this.name = "StreamemError";
    this.code = code;
  }
}

// ---- The layout: native/layout.json says the same for machines. ----------------------------------------------------------

/** @type {[string, number][]} names and sizes, in their order */
const segmentFields = [
  ["magic", 8],
  ["major", 2],
  ["minor", 2],
  ["header_bytes", 4],
  ["total_bytes", 8],
  ["generation", 16],
  ["slots_offset", 8],
  ["slot_stride", 8],
  ["payload_capacity", 8],
  ["slot_count", 4],
  ["slot_header_bytes", 4],
  ["fields_offset", 4],
  ["fields_capacity", 4],
  ["payload_offset", 4],
  ["descriptor_offset", 4],
  ["descriptor_bytes", 4],
  ["wake_mode", 4],
  ["writer_pid", 4],
  ["reserved_100", 4],
  ["writer_start_utc_ns", 8],
  ["reserved_112", 16],
  ["latest", 8],
  ["wake", 4],
  ["flags", 4],
  ["reserved_144", 112],
];
/** @type {[string, number][]} */
const slotFields = [
  ["begin", 8],
  ["end", 8],
  ["device_time", 8],
  ["capture_time_ns", 8],
  ["time_error_ns", 8],
  ["publish_time_ns", 8],
  ["publish_utc_ns", 8],
  ["payload_bytes", 8],
  ["clock_epoch", 4],
  ["fields_bytes", 4],
  ["dimensions", 4],
  ["reserved_76", 4],
  ["shape", 32],
  ["reserved_112", 16],
];

/** @param {[string, number][]} fields @returns {Record<string, number>} */
function offsetsOf(fields) {
  /** @type {Record<string, number>} */
  const found = {};
  let end = 0;
  for (const [name, bytes] of fields) {
    found[name] = end;
    end += bytes;
  }
  return found;
}

/** The offsets that this file uses, in bytes. */
export const offsets = {
  segmentHeader: offsetsOf(segmentFields),
  slotHeader: offsetsOf(slotFields),
};

const segmentAt = /** @type {Record<string, number>} */ (offsets.segmentHeader);
const slotAt = /** @type {Record<string, number>} */ (offsets.slotHeader);
const headerBytes = 256;
const slotHeaderBytes = 128;
const unknownTime = 0xffffffffffffffffn;
const retriesMax = 8;
const pollMs = 2;
const sliceMs = 500; // the longest time without a look at the ring's health
const turnMs = 10; // a stream faster than its reader must not keep the event loop from everything else

/** @param {Buffer} raw @param {number} fileBytes @param {string} where */
function checkedHeader(raw, fileBytes, where) {
  if (raw.length >= 8 && raw.toString("latin1", 0, 8) !== "STREAMEM")
    throw new StreamemError(
      "EBADMSG",
      `${where} is not a streamem ring: its magic is not STREAMEM`,
    );
  if (raw.length < headerBytes)
    throw new StreamemError(
      "EBADMSG",
      `${where} is truncated: ${raw.length} bytes, a ring's header has ${headerBytes}`,
    );
  /** @param {string} name */
  const u32 = (name) => raw.readUInt32LE(segmentAt[name]);
  /** @param {string} name */
  const u64 = (name) => raw.readBigUInt64LE(segmentAt[name]);
  const major = raw.readUInt16LE(segmentAt.major);
  if (major !== 1) {
    const minor = raw.readUInt16LE(segmentAt.minor);
    throw new StreamemError(
      "EPROTO",
      `${where} has layout version ${major}.${minor}, this reader knows major version 1: update the older side`,
    );
  }
  const total = u64("total_bytes");
  if (total > BigInt(fileBytes))
    throw new StreamemError(
      "EBADMSG",
      `${where} is truncated: it has ${fileBytes} bytes, its header's total_bytes is ${total}`,
    );
  const count = u32("slot_count");
  const stride = u64("slot_stride");
  const slots = u64("slots_offset");
  const fieldsOffset = u32("fields_offset");
  const payloadOffset = u32("payload_offset");
  const descriptorOffset = u32("descriptor_offset");
  const descriptorBytes = u32("descriptor_bytes");
  /** @type {[boolean, string][]} */
  const rules = [
    [u32("header_bytes") >= headerBytes, "header_bytes >= 256"],
    [u32("slot_header_bytes") >= slotHeaderBytes, "slot_header_bytes >= 128"],
    [count >= 4 && count <= 65536, "4 <= slot_count <= 65536"],
    [u32("slot_header_bytes") <= fieldsOffset, "slot_header_bytes <= fields_offset"],
    [fieldsOffset % 8 === 0, "fields_offset is a multiple of 8"],
    [u32("fields_capacity") <= 65536, "fields_capacity <= 65536"],
    [
      fieldsOffset + u32("fields_capacity") <= payloadOffset,
      "fields_offset + fields_capacity <= payload_offset",
    ],
    [
      BigInt(payloadOffset) + u64("payload_capacity") <= stride,
      "payload_offset + payload_capacity <= slot_stride",
    ],
    [payloadOffset % 64 === 0, "payload_offset is a multiple of 64"],
    [stride % 64n === 0n, "slot_stride is a multiple of 64"],
    [slots % 64n === 0n, "slots_offset is a multiple of 64"],
    [
      slots + BigInt(count) * stride <= total,
      "slots_offset + slot_count * slot_stride <= total_bytes",
    ],
    [u32("header_bytes") <= descriptorOffset, "header_bytes <= descriptor_offset"],
    [descriptorBytes <= 65536, "descriptor_bytes <= 65536"],
    [
      BigInt(descriptorOffset + descriptorBytes) <= slots,
      "descriptor_offset + descriptor_bytes <= slots_offset",
    ],
  ];
  for (const [kept, rule] of rules) {
    if (!kept) throw new StreamemError("EBADMSG", `${where} is damaged: its header breaks ${rule}`);
  }
  // From here on everything lies within a file, whose size is an exact number.
  return {
    generation: raw.toString("hex", segmentAt.generation, segmentAt.generation + 16),
    slotCount: count,
    slotsOffset: Number(slots),
    slotStride: Number(stride),
    payloadCapacity: Number(u64("payload_capacity")),
    fieldsOffset,
    fieldsCapacity: u32("fields_capacity"),
    payloadOffset,
    descriptorOffset,
    descriptorBytes,
    writerStartUtcNs: u64("writer_start_utc_ns"),
  };
}

/** @param {Uint8Array} bytes @param {string} where @returns {Descriptor} */
function checkedDescriptor(bytes, where) {
  /** @type {unknown} */
  let descriptor;
  try {
    descriptor = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StreamemError(
      "EBADMSG",
      `${where}: its descriptor is not JSON in UTF-8: ${/** @type {Error} */ (error).message}`,
    );
  }
  if (typeof descriptor !== "object" || descriptor === null || Array.isArray(descriptor))
    throw new StreamemError("EBADMSG", `${where}: its descriptor is not a JSON object`);
  return /** @type {Descriptor} */ (descriptor);
}

// ---- dtypes and fields. --------------------------------------------------------------------------------------------------

/** @param {unknown} shape @returns {shape is number[]} */
function isShape(shape) {
  return (
    Array.isArray(shape) &&
    shape.length <= 8 &&
    shape.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)
  );
}

/** Items of a shape; more than any file has where it is too large, never rounded to less. @param {number[]} shape */
function product(shape) {
  return shape.includes(0) ? 0 : shape.reduce((items, n) => items * n, 1);
}

/** Bytes of one item; 0 where the dtype is none that we understand. @param {unknown} dtype @returns {number} */
function itemBytes(dtype, depth = 0) {
  if (typeof dtype === "string") {
    const [, kind, digits] = /^[<>|=]?([biufcSVUmM])(\d{1,9})(?:\[\w{1,8}\])?$/.exec(dtype) ?? [];
    const bytes = Number(digits ?? 0) * (kind === "U" ? 4 : 1);
    return bytes < 2 ** 31 ? bytes : 0;
  }
  if (!Array.isArray(dtype) || dtype.length === 0 || depth > 8) return 0;
  let total = 0;
  for (const member of dtype) {
    const [name, type, shape = []] = Array.isArray(member) ? member : [];
    const bytes =
      typeof name === "string" && isShape(shape) ? itemBytes(type, depth + 1) * product(shape) : 0;
    if (bytes === 0 || total + bytes >= 2 ** 31) return 0;
    total += bytes;
  }
  return total;
}

/** @type {Record<string, { new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray }>} */
const arrays = {
  b1: Uint8Array,
  u1: Uint8Array,
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

/** @type {Record<string, (view: DataView, at: number, little: boolean) => number | bigint | boolean>} */
const readers = {
  b1: (view, at) => view.getUint8(at) !== 0,
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => view.getBigUint64(at, little),
  i8: (view, at, little) => view.getBigInt64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** The fields of a frame by name; left out are those for which it has too few bytes. @param {Uint8Array} area @param {unknown} specs */
function decodeFields(area, specs) {
  /** @type {Record<string, FieldValue>} */
  const values = {};
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  for (const spec of Array.isArray(specs) ? specs : []) {
    const { name, dtype, shape, offset } = spec ?? {};
    const bytes = typeof dtype === "string" ? itemBytes(dtype) : 0;
    const dims = shape ?? [];
    if (
      typeof name !== "string" ||
      bytes === 0 ||
      !isShape(dims) ||
      !Number.isInteger(offset) ||
      offset < 0
    )
      continue;
    const count = product(dims);
    if (offset + bytes * count > area.byteLength) continue;
    const read = readers[dtype.replace(/^[<>|=]/, "")];
    const one = (/** @type {number} */ i) => read(view, offset + i * bytes, dtype[0] !== ">");
    if (!read) values[name] = area.slice(offset, offset + bytes * count);
    else if (dims.length === 0) values[name] = one(0);
    else values[name] = /** @type {number[]} */ (Array.from({ length: count }, (_, i) => one(i)));
  }
  return values;
}

/** native/LAYOUT.md, "Message streams". @type {FieldSpec[]} */
const referenceFields = [
  { name: "refers_to_sequence", dtype: "<u8", shape: [], offset: 0 },
  { name: "refers_to_capture_time_ns", dtype: "<u8", shape: [], offset: 8 },
  { name: "refers_to_generation", dtype: "|u1", shape: [16], offset: 16 },
  { name: "refers_to_stream", dtype: "|u1", shape: [64], offset: 32 },
];
const referenceBytes = 96;
const nameRule = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

/** @param {unknown} specs */
function hasReference(specs) {
  return referenceFields.every(
    ({ name, dtype, shape, offset }) =>
      Array.isArray(specs) &&
      specs.some(
        (spec) =>
          spec?.name === name &&
          spec.dtype === dtype &&
          spec.offset === offset &&
          String(spec.shape ?? []) === String(shape),
      ),
  );
}

// ---- A frame. ------------------------------------------------------------------------------------------------------------

/** One frame, an owned copy: nothing that the writer does changes it. */
export class Frame {
  /** Frames published between the one given before and this one. */
  missed = 0n;
  /** @type {Ring} */
  #ring;
  /** @type {Buffer} */
  #fields;

  /**
   * @param {Ring} ring @param {bigint} seq @param {Buffer} head its slot header
   * @param {number[] | null} ownShape null: the descriptor's holds
   * @param {Buffer} fields @param {Buffer} data
   */
  constructor(ring, seq, head, ownShape, fields, data) {
    this.#ring = ring;
    this.#fields = fields;
    /** @param {string} name */
    const time = (name) => {
      const value = head.readBigUInt64LE(slotAt[name]);
      return value === unknownTime ? null : value;
    };
    /** From 1 in each generation. */
    this.seq = seq;
    /** The payload. @type {Uint8Array} */
    this.data = data;
    /** In C order: the frame's own, else the descriptor's; null where neither says one. */
    this.shape = ownShape ?? ring.shape;
    /** Whether the frame itself states its shape. */
    this.ownShape = ownShape !== null;
    /** The device's own ticks; descriptor.clock names their unit. */
    this.deviceTime = time("device_time");
    /** That instant on CLOCK_MONOTONIC, ns. */
    this.captureTimeNs = time("capture_time_ns");
    /** Bound of the error of captureTimeNs, ns. */
    this.timeErrorNs = time("time_error_ns");
    /** When it became readable, CLOCK_MONOTONIC, ns. */
    this.publishTimeNs = head.readBigUInt64LE(slotAt.publish_time_ns);
    /** The same instant on CLOCK_REALTIME, ns since 1970. */
    this.publishUtcNs = head.readBigUInt64LE(slotAt.publish_utc_ns);
    /** Grows when the device's clock was reset. */
    this.clockEpoch = head.readUInt32LE(slotAt.clock_epoch);
  }

  /** Which ring it came from, 32 hexadecimal digits. Sequences of two generations do not compare. */
  get generation() {
    return this.#ring.generation;
  }

  /** Of the frame's generation. */
  get descriptor() {
    return this.#ring.descriptor;
  }

  get dtype() {
    return this.#ring.descriptor.dtype;
  }

  /** The payload as the typed array of its dtype, no copy; bytes for records and big-endian numbers. @returns {TypedArray} */
  get array() {
    const dtype = this.dtype;
    const type =
      typeof dtype === "string" && dtype[0] !== ">"
        ? arrays[dtype.replace(/^[<|=]/, "")]
        : undefined;
    if (!type) return this.data;
    return new type(
      this.data.buffer,
      this.data.byteOffset,
      Math.floor(this.data.byteLength / itemBytes(dtype)),
    );
  }

  /** ns since it was captured; since it was published where the capture time is unknown. */
  get ageNs() {
    return sincePublishedNs(this) + this.publishTimeNs - (this.captureTimeNs ?? this.publishTimeNs);
  }

  /** The per-frame metadata by name: numbers, BigInt for 64 bits, lists of them in C order, bytes for what is no number. */
  get fields() {
    return decodeFields(this.#fields, this.#ring.descriptor.fields);
  }

  /** The raw bytes of the metadata. @returns {Uint8Array} */
  get fieldBytes() {
    return this.#fields;
  }

  /** What a message says: the value of json (also where no encoding is named), a string of utf8, else (msgpack) its bytes. @returns {any} */
  get message() {
    const { encoding = "json" } = this.#ring.descriptor;
    if (encoding !== "json" && encoding !== "utf8") return this.data;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(this.data);
      return encoding === "json" ? JSON.parse(text) : text;
    } catch (error) {
      throw new StreamemError(
        "EBADMSG",
        `${this.#ring.where}: frame ${this.seq} is not ${encoding}: ${/** @type {Error} */ (error).message}`,
      );
    }
  }

  /** The frame that this message was computed from, or null where it names none. @returns {Reference | null} */
  get refersTo() {
    const area = this.#fields;
    if (area.length < referenceBytes || !hasReference(this.#ring.descriptor.fields)) return null;
    const sequence = area.readBigUInt64LE(0);
    const captureTimeNs = area.readBigUInt64LE(8);
    const stream = area.toString("latin1", 32, referenceBytes).replace(/\0+$/, "");
    if (sequence === 0n || !nameRule.test(stream)) return null;
    return {
      stream,
      generation: area.toString("hex", 16, 32),
      sequence,
      captureTimeNs: captureTimeNs === unknownTime ? null : captureTimeNs,
    };
  }

  /** The payload in memory of the caller's, which has room for it, or in new memory. @template {Uint8Array} T @param {T} [out] */
  copy(out) {
    if (!out) return Uint8Array.from(this.data);
    if (out.byteLength < this.data.byteLength)
      throw new StreamemError(
        "ERANGE",
        `out has ${out.byteLength} bytes, frame ${this.seq} has ${this.data.byteLength}`,
      );
    out.set(this.data);
    return out;
  }

  /** True: it is a copy. Here so that a program reads alike in all languages. */
  valid() {
    return true;
  }
}

/** Bun's hrtime counts from the start of the process; there the other clock answers, to a millisecond. @param {{ publishTimeNs: bigint, publishUtcNs: bigint }} frame */
function sincePublishedNs({ publishTimeNs, publishUtcNs }) {
  if (!process.versions.bun) return process.hrtime.bigint() - publishTimeNs;
  return BigInt(Date.now()) * 1_000_000n - publishUtcNs;
}

// ---- One generation: nothing in the file is trusted before it is checked. ------------------------------------------------

const locksFile = "/proc/locks";

class Ring {
  /** Frames that were overwritten while they were read. */
  overwritten = 0;
  /** As it was seen last. */
  retired = false;
  #fd = -1;
  #hot = Buffer.alloc(16);
  #word = Buffer.alloc(8);
  #lock = "";

  /** @param {string} where */
  constructor(where) {
    this.where = where;
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    try {
      this.#fd = openSync(where, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      throw openingFailed(/** @type {NodeJS.ErrnoException} */ (error), where);
    }
    try {
      const status = fstatSync(this.#fd, { bigint: true });
      if (!status.isFile()) throw new StreamemError("EBADMSG", `${where} is not a file`);
      const fileBytes = Number(status.size);
      const header = checkedHeader(
        this.#read(0, Math.min(headerBytes, fileBytes)),
        fileBytes,
        where,
      );
      this.#lock = nameOfLocks(status);
      this.generation = header.generation;
      this.header = header;
      this.descriptor = checkedDescriptor(
        this.#read(header.descriptorOffset, header.descriptorBytes),
        where,
      );
    } catch (error) {
      this.close();
      throw error;
    }
    const { dtype, shape, rate } = this.descriptor;
    this.itemBytes = itemBytes(dtype) || 1;
    this.shape = isShape(shape) ? shape : null;
    this.rate = typeof rate === "number" && rate > 0 && rate < 1e9 ? rate : null;
    /** The writer may be in the oldest slot at any time. */
    this.window = this.header.slotCount - 1;
  }

  /** @param {number} position @param {number} length */
  #read(position, length) {
    return this.#readInto(this.#room(length), position);
  }

  /** A stranger's sparse file may promise any size. @param {number} length */
  #room(length) {
    try {
      return Buffer.allocUnsafeSlow(length);
    } catch {
      throw new StreamemError("ENOMEM", `${this.where}: no room for ${length} bytes`);
    }
  }

  /** @param {Buffer} bytes @param {number} position */
  #readInto(bytes, position) {
    if (this.#fd < 0) throw new StreamemError("EBADF", `${this.where}: closed`);
    for (let done = 0; done < bytes.length; ) {
      const got = readSync(this.#fd, bytes, done, bytes.length - done, position + done);
      if (got === 0)
        throw new StreamemError("EBADMSG", `${this.where} was truncated while it was read`);
      done += got;
    }
    return bytes;
  }

  /** One call of 8 bytes, which the kernel copies whole. @param {number} position */
  #u64(position) {
    return this.#readInto(this.#word, position).readBigUInt64LE(0);
  }

  /** What changes in the header, in one call. */
  hot() {
    this.#readInto(this.#hot, segmentAt.latest);
    return {
      latest: this.#hot.readBigUInt64LE(0),
      retired: (this.#hot.readUInt32LE(12) & 1) !== 0,
    };
  }

  /** @param {bigint} seq */
  #slot(seq) {
    const { slotsOffset, slotStride, slotCount } = this.header;
    return slotsOffset + Number(seq % BigInt(slotCount)) * slotStride;
  }

  /** The checked slot header of frame seq, without a promise that it is still whole. @param {bigint} seq @param {number} at */
  #head(seq, at) {
    const { payloadCapacity, fieldsCapacity } = this.header;
    if (this.#u64(at + slotAt.end) !== seq) return null;
    const head = this.#read(at, slotHeaderBytes);
    const payloadBytes = head.readBigUInt64LE(slotAt.payload_bytes);
    const fieldsBytes = head.readUInt32LE(slotAt.fields_bytes);
    const dimensions = head.readUInt32LE(slotAt.dimensions);
    if (payloadBytes > BigInt(payloadCapacity) || fieldsBytes > fieldsCapacity || dimensions > 8)
      return null;
    const shape =
      dimensions === 0
        ? null
        : Array.from({ length: dimensions }, (_, i) => head.readUInt32LE(slotAt.shape + 4 * i));
    if (shape && product(shape) * this.itemBytes > Number(payloadBytes)) return null;
    return { head, payloadBytes: Number(payloadBytes), fieldsBytes, shape };
  }

  /** Whether frame seq is still the one in its slot: what was read before is whole then. @param {bigint} seq @param {number} at */
  #isWhole(seq, at) {
    if (this.#u64(at + slotAt.begin) === seq) return true;
    this.overwritten++;
    return false;
  }

  /** Frame seq, or null where it is not, or no longer, whole in its slot: four calls. @param {bigint} seq */
  frame(seq) {
    const at = this.#slot(seq);
    const found = seq === 0n ? null : this.#head(seq, at);
    if (!found) return null;
    const { head, payloadBytes, fieldsBytes, shape } = found;
    const { fieldsOffset, payloadOffset } = this.header;
    // Both in one call, what lies between them too, unless a stranger's ring has them far apart.
    const between = fieldsBytes > 0 ? payloadOffset - fieldsOffset : 0;
    const together = between <= 1 << 17;
    const bytes = this.#read(
      at + payloadOffset - (together ? between : 0),
      (together ? between : 0) + payloadBytes,
    );
    const fields = together
      ? bytes.subarray(0, fieldsBytes)
      : this.#read(at + fieldsOffset, fieldsBytes);
    if (!this.#isWhole(seq, at)) return null;
    return new Frame(this, seq, head, shape, fields, together ? bytes.subarray(between) : bytes);
  }

  /** When frame seq was captured and published, without its payload: three calls. @param {bigint} seq */
  times(seq) {
    const at = this.#slot(seq);
    const found = seq === 0n ? null : this.#head(seq, at);
    if (!found || !this.#isWhole(seq, at)) return null;
    const captured = found.head.readBigUInt64LE(slotAt.capture_time_ns);
    const publishTimeNs = found.head.readBigUInt64LE(slotAt.publish_time_ns);
    const publishUtcNs = found.head.readBigUInt64LE(slotAt.publish_utc_ns);
    return {
      seq,
      captureTimeNs: captured === unknownTime ? null : captured,
      publishTimeNs,
      publishUtcNs,
    };
  }

  /** The newest frame; null where there is none yet, or the writer overtook every attempt (lapped). */
  newest() {
    for (let attempt = 0; attempt < retriesMax; attempt++) {
      const { latest } = this.hot();
      if (latest === 0n) return null;
      const frame = this.frame(latest);
      if (frame) return frame;
    }
    return null;
  }

  /** The newest n sequences, oldest first. @param {number} n */
  sequences(n) {
    const { latest } = this.hot();
    const count = latest < BigInt(n) ? Number(latest) : n;
    return Array.from({ length: count }, (_, i) => latest - BigInt(count - 1 - i));
  }

  unlinked() {
    return fstatSync(this.#fd).nlink === 0;
  }

  /** Whether a writer holds its lock on the file; true also where that cannot be known. */
  alive() {
    // The list comes in pieces, between which locks of others come and go, so that one may be passed over: only what
    // is missing three times over is not there.
    for (let look = 0; look < 3; look++) {
      let locks;
      try {
        locks = readFileSync(locksFile, "latin1");
      } catch {
        return true;
      }
      if (
        locks
          .split("\n")
          .some((line) => line.includes(this.#lock) && /^\d+: (OFDLCK|POSIX) .* WRITE /.test(line))
      )
        return true;
    }
    return false;
  }

  close() {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** How /proc/locks writes a file: device in hexadecimal, inode in decimal. @param {{ dev: bigint, ino: bigint }} status */
function nameOfLocks({ dev, ino }) {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const hex = (/** @type {bigint} */ n) => n.toString(16).padStart(2, "0");
  return ` ${hex(major)}:${hex(minor)}:${ino} `;
}

/** @param {NodeJS.ErrnoException} error @param {string} where */
function openingFailed({ code = "EIO", message }, where) {
  const remedies = /** @type {Record<string, string>} */ ({
    ENOENT: "is its writer running? `ls /dev/shm` shows what there is",
    EACCES: "the stream belongs to another user; the hub's setting `group` shares it",
    ELOOP: "it is a link, not a ring",
  });
  return new StreamemError(
    code === "ELOOP" ? "EBADMSG" : code,
    `${where} cannot be opened: ${remedies[code] ?? message}`,
  );
}

// ---- A reader. -----------------------------------------------------------------------------------------------------------

/** @param {string | undefined} prefix */
function checkedPrefix(prefix) {
  const checked = prefix ?? (process.env.STREAMEM_PREFIX || "streamem");
  if (/^[a-z0-9_-]{1,32}$/.test(checked)) return checked;
  throw new StreamemError(
    "EINVAL",
    `prefix ${JSON.stringify(checked)}: allowed are 1 to 32 of a-z 0-9 _ -`,
  );
}

/** @param {string} name @param {string | undefined} prefix */
function pathOf(name, prefix) {
  if (name.includes("/")) return name;
  if (nameRule.test(name)) return `/dev/shm/${checkedPrefix(prefix)}.${name}`;
  throw new StreamemError(
    "EINVAL",
    `stream name ${JSON.stringify(name)}: allowed are 1 to 63 of a-z 0-9 . _ -, a letter or digit first and last`,
  );
}

/** @param {unknown} error */
function isMissing(error) {
  return error instanceof StreamemError && error.code === "ENOENT";
}

/** The names of the streams in /dev/shm, sorted; no hub is needed for that. @param {string} [prefix] */
export function streams(prefix) {
  const start = `${checkedPrefix(prefix)}.`;
  const names = readdirSync("/dev/shm")
    .filter((file) => file.startsWith(start))
    .map((file) => file.slice(start.length));
  return names
    .filter((name) => nameRule.test(name) && beginsAsRing(`/dev/shm/${start}${name}`))
    .sort();
}

/** @param {string} path */
function beginsAsRing(path) {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const start = Buffer.alloc(8);
      return (
        fstatSync(fd).isFile() &&
        readSync(fd, start, 0, 8, 0) === 8 &&
        start.toString() === "STREAMEM"
      );
    } finally {
      closeSync(fd);
    }
  } catch {
    return false; // gone again, or not ours to read
  }
}

/** Reads one stream and follows its writer through restarts by itself. {@link open} makes it. */
export class Reader {
  /** Frames published and not given, in all. */
  missed = 0n;
  /** @type {Ring | null} */
  #ring;
  #given = 0n;
  #started = false;
  #carried = 0n;
  #lookAt = performance.now() + sliceMs;
  #turnedAt = performance.now();
  #overwritten = 0;
  /** @type {{ most: number, frames: Frame[] } | null} */
  #history = null;

  /** @param {string} path */
  constructor(path) {
    this.path = path;
    this.#ring = new Ring(path);
  }

  /** Frames that were overwritten while they were read, and so not given: a newer one was. */
  get overwritten() {
    return this.#overwritten + this.#open().overwritten;
  }

  /** What the stream says about itself, in its present generation. */
  get descriptor() {
    return this.#open().descriptor;
  }

  /** The id of the ring being read, 32 hexadecimal digits. */
  get generation() {
    return this.#open().generation;
  }

  /** The number of slots, one more than `last` can be asked for. */
  get slotCount() {
    return this.#open().header.slotCount;
  }

  /**
   * `live`; `stalled`, no frame for max(2 s, 5 periods) where the rate is known; `dead`, its writer is gone without a word;
   * `retired`, its writer ended it. The latter two only while there is no successor. Asking costs no frame.
   * @returns {State}
   */
  get state() {
    this.#lookAt = 0;
    this.#follow(this.#started ? this.#given : null);
    const ring = this.#open();
    if (ring.hot().retired) return "retired";
    if (!ring.alive()) return "dead";
    if (ring.rate === null) return "live";
    const { latest } = ring.hot();
    const newest = ring.times(latest);
    if (latest !== 0n && !newest) return "live"; // lapped: it is anything but late
    const sinceNs = newest
      ? sincePublishedNs(newest)
      : BigInt(Date.now()) * 1_000_000n - ring.header.writerStartUtcNs;
    return Number(sinceNs) > Math.max(2e9, 5e9 / ring.rate) ? "stalled" : "live";
  }

  /** The newest frame; null before the first, or where the writer overtook eight attempts. Never waits, may repeat. */
  latest() {
    const ring = this.#open();
    let frame = ring.newest();
    if (this.#follow(null, ring.retired)) frame = this.#open().newest();
    return frame && this.#give(frame);
  }

  /** The newest frame not given yet; waits for it. null after timeoutMs (default: for ever). @param {{ timeoutMs?: number }} [options] */
  newest(options) {
    this.#follow(null);
    return this.#take(options?.timeoutMs ?? Infinity, false);
  }

  /**
   * The frame after the one given last (at first the newest); waits for it. When the writer has overtaken this reader it goes on at the
   * newest; `frame.missed` says how many were left out. What an ended generation still holds comes before its successor.
   * @param {{ timeoutMs?: number }} [options] default: for ever, else null after so long
   */
  next(options) {
    return this.#take(options?.timeoutMs ?? Infinity, true);
  }

  /** The newest n frames still in the ring, oldest first; fewer where some are not whole. @param {number} n 1 to slots - 1 */
  last(n) {
    this.#follow(null);
    const { window, header, where } = this.#open();
    if (!Number.isInteger(n) || n < 1 || n > window)
      throw new StreamemError(
        "ERANGE",
        `last(${n}): ${where} has ${header.slotCount} slots, so 1 to ${window} frames can be asked for; its setting \`slots\` is how to keep more`,
      );
    return this.#frames(n);
  }

  /** @param {number} n */
  #frames(n) {
    const ring = this.#open();
    return ring
      .sequences(n)
      .map((seq) => ring.frame(seq))
      .filter((frame) => frame !== null);
  }

  /**
   * The newest n frames that this reader has taken as one array, oldest first; takes the newest. It fills from the ring at once as far as the
   * ring goes (slots - 1), beyond as frames are taken by any verb. Frames of another shape than the newest are left out. null before the first frame.
   * @param {number} n @returns {Stack | null}
   */
  stack(n) {
    if (!Number.isInteger(n) || n < 1)
      throw new StreamemError("EINVAL", `stack(${n}): a number of frames, 1 or more`);
    this.#follow(null);
    if (!this.#history || this.#history.most < n) {
      this.#history = { most: n, frames: [] };
      for (const frame of this.#frames(Math.min(n, this.#open().window))) {
        if (frame.seq > this.#given) this.#give(frame);
        else this.#remember(frame);
      }
    } else this.latest();
    const taken = this.#history.frames.slice(-n);
    const newest = taken.at(-1);
    if (!newest) return null;
    const alike = taken.filter(
      ({ shape, data }) =>
        String(shape) === String(newest.shape) && data.length === newest.data.length,
    );
    const data = Buffer.concat(alike.map((frame) => frame.data));
    return {
      data,
      shape: newest.shape && [alike.length, ...newest.shape],
      sequences: alike.map(({ seq }) => seq),
    };
  }

  /** The frame whose capture time is nearest to timeNs; of two as near the newer. null where none has one. @param {bigint} timeNs */
  nearest(timeNs) {
    this.#follow(null);
    const ring = this.#open();
    for (let attempt = 0; attempt < retriesMax; attempt++) {
      /** @type {{ seq: bigint, away: bigint } | null} */
      let best = null;
      for (const seq of ring.sequences(ring.window)) {
        const captureTimeNs = ring.times(seq)?.captureTimeNs ?? null;
        if (captureTimeNs === null) continue;
        const away = apart(captureTimeNs, timeNs);
        if (best === null || away <= best.away) best = { seq, away };
      }
      const frame = best && ring.frame(best.seq);
      if (frame || !best) return frame;
    }
    return null;
  }

  /** Every frame from now on, in order. Ends when the reader is closed. */
  async *[Symbol.asyncIterator]() {
    while (this.#ring) {
      const frame = await this.next({ timeoutMs: sliceMs });
      if (frame) yield frame;
    }
  }

  /** Ends reading. Frames stay as they are. */
  close() {
    this.#ring?.close();
    this.#ring = null;
  }

  /** For sync: when frames were, newest first, back to one before fromNs. @param {bigint} fromNs */
  timesBack(fromNs) {
    this.#follow(null);
    const ring = this.#open();
    const times = [];
    for (const seq of ring.sequences(ring.window).reverse()) {
      const one = ring.times(seq);
      if (!one) continue;
      times.push(one);
      if (timeOf(one) < fromNs) break;
    }
    return times;
  }

  /** For sync: frame seq as it is in the ring. @param {bigint} seq */
  read(seq) {
    return this.#open().frame(seq);
  }

  #open() {
    if (!this.#ring) throw new StreamemError("EBADF", `this reader of ${this.path} is closed`);
    return this.#ring;
  }

  /** @param {number} timeoutMs @param {boolean} inOrder */
  async #take(timeoutMs, inOrder) {
    const deadline = performance.now() + timeoutMs;
    this.#open();
    if (timeoutMs > 0 && performance.now() - this.#turnedAt > turnMs) {
      await turn();
      this.#turnedAt = performance.now();
    }
    while (this.#ring) {
      const ring = this.#ring;
      const { latest, retired } = ring.hot();
      if (latest > this.#given) {
        const next = this.#given + 1n;
        const follows = inOrder && this.#started && latest - next < BigInt(ring.window);
        const frame = (follows && ring.frame(next)) || ring.newest();
        if (frame && frame.seq > this.#given) return this.#give(frame);
      }
      if (this.#follow(latest, retired)) continue;
      const left = deadline - performance.now();
      if (left <= 0) return null;
      await sleep(Math.min(left, pollMs));
      this.#turnedAt = performance.now();
    }
    return null; // closed meanwhile
  }

  /** @param {Frame} frame */
  #give(frame) {
    if (frame.seq <= this.#given) return frame; // latest() may repeat
    if (this.#started) {
      frame.missed = frame.seq - this.#given - 1n + this.#carried;
      this.missed += frame.missed;
    }
    this.#carried = 0n;
    this.#started = true;
    this.#given = frame.seq;
    this.#remember(frame);
    return frame;
  }

  /** @param {Frame} frame */
  #remember(frame) {
    if (!this.#history) return;
    this.#history.frames.push(frame);
    if (this.#history.frames.length > this.#history.most) this.#history.frames.shift();
  }

  /**
   * Goes on to the successor if this generation is over and there is one. It looks at most every 500 ms, every 2 ms once the ring is
   * retired. What was published after `drained` comes first (null: need not). True when there is something to look at.
   * @param {bigint | null} drained
   */
  #follow(drained, retired = this.#open().hot().retired) {
    const ring = this.#open();
    const now = performance.now();
    if (now < this.#lookAt && !(retired && this.#lookAt - now > pollMs)) return false;
    this.#lookAt = now + (retired ? pollMs : sliceMs);
    if (!retired && !ring.unlinked() && ring.alive()) return false;
    const successor = this.#successor(ring);
    if (!successor) return false;
    const { latest } = ring.hot(); // for good: its writer is gone
    if (drained !== null && latest !== drained) {
      successor.close();
      this.#lookAt = now;
      return true;
    }
    if (this.#started && latest > this.#given) this.#carried += latest - this.#given;
    this.#overwritten += ring.overwritten;
    this.#ring = successor;
    this.#given = 0n;
    if (this.#history) this.#history.frames = []; // one stack never mixes two generations
    ring.close();
    return true;
  }

  /** @param {Ring} ring */
  #successor(ring) {
    try {
      const next = new Ring(this.path);
      if (next.generation !== ring.generation) return next;
      next.close();
    } catch (error) {
      if (!(error instanceof StreamemError)) throw error; // not there yet, or nothing that we could read: stay
    }
    return null;
  }
}

/**
 * Opens the stream of that name, or the ring at that path where the name has a slash. Throws StreamemError: ENOENT it is not there, EACCES,
 * EBADMSG no ring, truncated or damaged, EPROTO another major version, EINVAL no name of a stream.
 * @param {string} name @param {OpenOptions} [options]
 */
export async function open(name, { timeoutMs = 0, prefix } = {}) {
  const path = pathOf(name, prefix);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return new Reader(path);
    } catch (error) {
      if (!isMissing(error) || performance.now() >= deadline) throw error; // all else does not mend itself
    }
    await sleep(5 * pollMs);
  }
}

// ---- Streams lined up in time. -------------------------------------------------------------------------------------------

/**
 * @typedef {"too early" | "too late" | "gap" | "stream down"} MissingReason
 *   too early: it has nothing as late as the instant yet (mode available alone); too late: its first frame that can be had is after it; gap: frames
 *   before and after, none near enough, or the near one was given already; stream down: its writer is gone, or there is no such stream
 * @typedef {{ timeNs: bigint, driver: string, frames: Record<string, Frame | null>, missing: Record<string, MissingReason> }} FrameSet
 * @typedef {{ toleranceNs: bigint, mode?: "reproducible" | "available", driver?: string, timeoutMs?: number, prefix?: string }} SyncOptions
 *   toleranceNs: how far a frame may be from the driver's. mode: `reproducible`, the default, gives each frame of the driver, in order, once its answer can
 *   no longer change, so that a replay gives the same sets; `available` gives its newest at once, with what the other rings have. driver: else the slowest
 *   by its descriptor's rate at the start. timeoutMs: for the driver to appear, default for ever
 * @typedef {{ captureTimeNs: bigint | null, publishTimeNs: bigint }} Times
 */

const lookMs = 100; // for a stream that is not there
const downMs = 250; // a writer that restarts is no hole: a successor comes sooner

/** When a frame was: its capture, unless that is unknown or a broken clock put it after its publication. @param {Times} times */
function timeOf({ captureTimeNs, publishTimeNs }) {
  return captureTimeNs !== null && captureTimeNs <= publishTimeNs ? captureTimeNs : publishTimeNs;
}

/** @param {bigint} a @param {bigint} b */
function apart(a, b) {
  return a > b ? a - b : b - a;
}

/** One of the streams that are lined up. Its frames are copies: none is overwritten while it waits. */
class Member {
  /** @type {Reader | null} */
  reader = null;
  #lookedAt = -Infinity;
  /** @type {number | null} */
  #downSince = null;
  /** The last frame passed and not yet given. @type {Frame | null} */
  #before = null;
  /** The next one, not consumed. @type {Frame | null} */
  #after = null;
  #passed = false;
  #given = { generation: "", sequences: /** @type {Set<bigint>} */ (new Set()) };

  /** @param {string} name @param {string | undefined} prefix */
  constructor(name, prefix) {
    this.path = pathOf(name, prefix);
  }

  /** The stream's reader, if there is such a stream now. */
  look() {
    if (this.reader || performance.now() - this.#lookedAt < lookMs) return this.reader;
    this.#lookedAt = performance.now();
    try {
      this.reader = new Reader(this.path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return this.reader;
  }

  /** @param {number} timeoutMs */
  async next(timeoutMs) {
    const reader = this.look();
    if (reader) return reader.next({ timeoutMs });
    if (timeoutMs > 0) await sleep(timeoutMs);
    return null;
  }

  /** Dead or retired without a successor for so long, or not there at all. @param {number} leastMs */
  #down(leastMs) {
    if (!this.reader) return true;
    const { state } = this.reader;
    if (state !== "dead" && state !== "retired") {
      this.#downSince = null;
      return false;
    }
    this.#downSince ??= performance.now();
    return performance.now() - this.#downSince >= leastMs;
  }

  /** The answer that no later frame can change, or null where there is none within timeoutMs. @param {bigint} timeNs @param {bigint} toleranceNs @param {number} timeoutMs */
  async decided(timeNs, toleranceNs, timeoutMs) {
    if (!(await this.#reach(timeNs, 0))) {
      const down = this.#down(downMs); // before the last look: what was published until then comes first
      const reached = await this.#reach(timeNs, down ? 0 : timeoutMs);
      if (!reached && !down) return null;
    }
    const [before, after] = [this.#before, this.#after];
    const beforeNs = before && apart(timeOf(before), timeNs);
    const afterNs = after && apart(timeOf(after), timeNs);
    if (beforeNs !== null && beforeNs <= toleranceNs && (afterNs === null || beforeNs <= afterNs))
      return { frame: before };
    if (afterNs !== null && afterNs <= toleranceNs) return { frame: after };
    if (!after) return { reason: /** @type {MissingReason} */ ("stream down") };
    return { reason: /** @type {MissingReason} */ (this.#passed ? "gap" : "too late") };
  }

  /** Passes all frames before the instant; whether one at or after it is known. @param {bigint} timeNs @param {number} timeoutMs */
  async #reach(timeNs, timeoutMs) {
    for (;;) {
      this.#after ??= await this.next(timeoutMs);
      if (!this.#after) return false;
      if (timeOf(this.#after) >= timeNs) return true;
      this.#before = this.#after;
      this.#after = null;
      this.#passed = true;
    }
  }

  /** The frame is given and belongs to no other set. @param {Frame} frame */
  take(frame) {
    if (frame === this.#after) {
      this.#after = this.#before = null;
      this.#passed = true;
    }
    if (frame === this.#before) this.#before = null;
    if (this.#given.generation !== frame.generation)
      this.#given = { generation: frame.generation, sequences: new Set() };
    const { sequences } = this.#given;
    sequences.add(frame.seq);
    const slots = this.reader?.slotCount ?? 0;
    if (sequences.size <= 2 * slots) return;
    for (const seq of sequences) if (seq + BigInt(slots) <= frame.seq) sequences.delete(seq);
  }

  /** The answer by what is in the ring now. @param {bigint} timeNs @param {bigint} toleranceNs @returns {{ frame: Frame | null } | { reason: MissingReason }} */
  available(timeNs, toleranceNs) {
    const reader = this.look();
    const times = reader?.timesBack(timeNs - toleranceNs) ?? [];
    const { generation, sequences } = this.#given;
    const near = times.filter(
      (one) =>
        apart(timeOf(one), timeNs) <= toleranceNs &&
        !(reader?.generation === generation && sequences.has(one.seq)),
    );
    const away = (/** @type {Times} */ one) => apart(timeOf(one), timeNs);
    near.sort((a, b) => Number(away(a) - away(b)) || Number(a.seq - b.seq));
    for (const { seq } of near) {
      const frame = reader?.read(seq);
      if (frame) return { frame };
    }
    if (this.#down(0)) return { reason: "stream down" };
    const [newest, oldest] = [times[0], times.at(-1)];
    if (!newest || !oldest || timeOf(newest) < timeNs - toleranceNs) return { reason: "too early" };
    return { reason: timeOf(oldest) > timeNs + toleranceNs ? "too late" : "gap" };
  }
}

/** Sets of frames that belong together; {@link sync} makes it. It follows restarted writers by itself. */
export class FrameSync {
  /** The driver's frame whose set is not decided yet. @type {Frame | null} */
  #pending = null;
  #closed = false;
  /** @type {Map<string, Member>} */
  #members;
  /** @type {SyncOptions} */
  #options;

  /** @param {string} driver @param {Map<string, Member>} members @param {SyncOptions} options */
  constructor(driver, members, options) {
    this.driver = driver;
    this.#members = members;
    this.#options = options;
  }

  /** The next set; null after timeoutMs (default: for ever) without one. @param {{ timeoutMs?: number }} [options] @returns {Promise<FrameSet | null>} */
  async next({ timeoutMs = Infinity } = {}) {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed) {
      const left = Math.max(0, deadline - performance.now());
      const set = await this.#decide(Math.min(left, lookMs));
      if (set) return set;
      if (left === 0) break;
    }
    return null;
  }

  /** Every set from now on. Ends when this is closed. */
  async *[Symbol.asyncIterator]() {
    while (!this.#closed) {
      const set = await this.next({ timeoutMs: lookMs });
      if (set) yield set;
    }
  }

  /** How the writer of one of the streams is; dead where there is no such stream. @param {string} name @returns {State} */
  state(name) {
    return this.#members.get(name)?.reader?.state ?? "dead";
  }

  /** Frames by stream that came into no set because they were overwritten before they were read: raise the stream's `slots`. */
  get missed() {
    return Object.fromEntries(
      [...this.#members].map(([name, { reader }]) => [name, reader?.missed ?? 0n]),
    );
  }

  close() {
    this.#closed = true;
    for (const { reader } of this.#members.values()) reader?.close();
  }

  /** @param {number} timeoutMs @returns {Promise<FrameSet | null>} */
  async #decide(timeoutMs) {
    const { mode, toleranceNs } = this.#options;
    const driver = /** @type {Member} */ (this.#members.get(this.driver));
    this.#pending ??=
      mode === "available"
        ? ((await driver.look()?.newest({ timeoutMs })) ?? null)
        : await driver.next(timeoutMs);
    const frame = this.#pending;
    if (!frame) return null;
    const timeNs = timeOf(frame);
    /** @type {FrameSet} */
    const set = { timeNs, driver: this.driver, frames: {}, missing: {} };
    for (const [name, member] of this.#members) {
      if (member === driver) set.frames[name] = frame;
      else {
        const found =
          mode === "available"
            ? member.available(timeNs, toleranceNs)
            : await member.decided(timeNs, toleranceNs, timeoutMs);
        if (!found || this.#closed) return null;
        set.frames[name] = "frame" in found ? found.frame : null;
        if ("reason" in found) set.missing[name] = found.reason;
      }
    }
    this.#pending = null;
    for (const [name, one] of Object.entries(set.frames))
      if (one) this.#members.get(name)?.take(one);
    return set;
  }
}

/**
 * Lines streams up in time. Waits for the driver only; a stream that is not there is down until it appears. Throws RangeError: fewer than two
 * streams, one named twice, a driver that is none of them, a negative tolerance; StreamemError ENOENT: the driver did not appear in time.
 * @param {string[]} names @param {SyncOptions} options
 */
export async function sync(names, options) {
  const { toleranceNs, driver, timeoutMs = Infinity, prefix } = options;
  const listed = names.join(", ");
  if (names.length < 2) throw new RangeError(`sync lines up at least two streams, not "${listed}"`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new RangeError(`sync: stream ${twice} is named twice`);
  if (driver !== undefined && !names.includes(driver))
    throw new RangeError(`sync: the driver ${driver} is not one of ${listed}`);
  if (toleranceNs < 0n) throw new RangeError(`sync: toleranceNs is ${toleranceNs}; 0 is the least`);
  const members = new Map(names.map((name) => [name, new Member(name, prefix)]));
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const drives = driver ?? slowest(members);
    if (drives !== null && members.get(drives)?.look())
      return new FrameSync(drives, members, options);
    if (performance.now() >= deadline)
      throw new StreamemError("ENOENT", `sync: there is no stream ${driver ?? `of ${listed}`}`);
    await sleep(lookMs);
  }
}

/** By nominal rate; streams without one come last, of equals the first. null: none of them is there. @param {Map<string, Member>} members */
function slowest(members) {
  /** @type {{ name: string, rate: number } | null} */
  let least = null;
  for (const [name, member] of members) {
    const reader = member.look();
    const rate = Number(reader?.descriptor.rate) || Infinity;
    if (reader && (least === null || rate < least.rate)) least = { name, rate };
  }
  return least?.name ?? null;
}
