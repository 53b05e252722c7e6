// A ring read by pread only. The hub looks at every ring this way, its own and strangers': a stranger may
// truncate its file at any time, which ends a process that has it mapped and costs this one a short read.
import { closeSync, constants as fsConstants, fstatSync, openSync, readSync } from "node:fs";
import { type Descriptor, elementCount, itemSize, parseDescriptor } from "./descriptor.ts";
import { monotonicNs, utcNs, writerAlive } from "./ffi.ts";
import { decodeFields, type FieldValue } from "./fields.ts";
import {
  constants,
  headerBytes,
  LayoutError,
  offsets,
  parseHeader,
  parseSlotHeader,
  type SegmentHeader,
  type SlotHeader,
  slotHeaderBytes,
} from "./layout.ts";
import type { ReaderState } from "./reader.ts";
import { decodeReference, type FrameReference } from "./reference.ts";

/** A frame's numbers, checked; `payload` is there when it was asked for. */
export interface SegmentFrame {
  seq: bigint;
  header: SlotHeader;
  /** The frame's own shape, or the descriptor's. */
  shape: number[];
  fields: Record<string, FieldValue>;
  /** The frame that this one was computed from; null where it names none. */
  refersTo: FrameReference | null;
  payloadBytes: number;
}

/** One generation of a ring, open for reading. */
export class Segment {
  readonly generation: string;
  #fd: number;

  constructor(
    fd: number,
    readonly path: string,
    readonly uid: number,
    readonly header: SegmentHeader,
    readonly descriptor: Descriptor,
  ) {
    this.#fd = fd;
    this.generation = header.generation;
  }

  /** The ring's file, -1 once closed: its number may then be another file's. */
  get fd(): number {
    return this.#fd;
  }

  /** What changes in the header. Throws LayoutError when the file was truncated. */
  hot(): { latest: bigint; wake: number; retired: boolean } {
    const at = offsets.segmentHeader as Record<string, number>;
    const bytes = this.#read(at.latest as number, 16);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    const flags = view.getUint32(12, true);
    return {
      latest: view.getBigUint64(0, true),
      wake: view.getUint32(8, true),
      retired: (flags & constants.flag_retired.value) !== 0,
    };
  }

  /** The numbers of the frame `seq`, or of the newest; null when it is not (or no longer) whole. */
  head(seq?: bigint): SegmentFrame | null {
    return this.#attempt(seq, (wanted) => {
      const frame = this.#open(wanted);
      return frame && this.still(wanted) ? frame : null;
    });
  }

  /** The same with the payload: header, payload, `begin` again. */
  frame(seq?: bigint): (SegmentFrame & { payload: Uint8Array }) | null {
    return this.#attempt(seq, (wanted) => {
      const frame = this.#open(wanted);
      if (!frame) return null;
      const payload = this.#read(this.payloadOffset(wanted), frame.payloadBytes);
      return this.still(wanted) ? { ...frame, payload } : null;
    });
  }

  /** Where the payload of frame `seq` lies in the file. What is read there is whole if {@link still} says so afterwards. */
  payloadOffset(seq: bigint): number {
    return this.#slot(seq) + this.header.payloadOffset;
  }

  /** Whether the frame `seq` has not been overwritten so far. */
  still(seq: bigint): boolean {
    const begin = this.#read(this.#slot(seq), 8);
    return new DataView(begin.buffer, begin.byteOffset, 8).getBigUint64(0, true) === seq;
  }

  /** Age of the newest frame in ns, of the ring itself before the first; null when it was lapped. */
  ageNs(): bigint | null {
    if (this.hot().latest === 0n) return utcNs() - this.header.writerStartUtcNs;
    const newest = this.head();
    return newest && monotonicNs() - newest.header.publishTimeNs;
  }

  /** As in every client: `retired`, `dead` (nobody holds the lock), `stalled` (only with a rate), `live`. */
  state(): ReaderState {
    if (this.hot().retired) return "retired";
    if (!writerAlive(this.fd)) return "dead";
    const { rate } = this.descriptor;
    if (!rate) return "live";
    const limitNs = Math.max(2e9, 5e9 / rate);
    return Number(this.ageNs() ?? 0n) > limitNs ? "stalled" : "live";
  }

  /** Whether the ring's name is gone: a successor may stand there now. */
  unlinked(): boolean {
    return fstatSync(this.fd).nlink === 0;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #slot(seq: bigint): number {
    return (
      this.header.slotsOffset + Number(seq % BigInt(this.header.slotCount)) * this.header.slotStride
    );
  }

  #attempt<Result>(seq: bigint | undefined, read: (seq: bigint) => Result | null): Result | null {
    if (seq !== undefined) return seq > 0n ? read(seq) : null;
    for (let attempt = 0; attempt < constants.read_retries_max.value; attempt++) {
      const { latest } = this.hot();
      if (latest === 0n) return null;
      const result = read(latest);
      if (result) return result;
    }
    return null;
  }

  #open(seq: bigint): SegmentFrame | null {
    const { fieldsOffset, fieldsCapacity, payloadCapacity } = this.header;
    // `end` in a call of its own, first: one call may copy in any order, a new `end` beside old sizes
    const end = this.#read(this.#slot(seq) + (offsets.slotHeader.end as number), 8);
    if (new DataView(end.buffer).getBigUint64(0, true) !== seq) return null;
    const bytes = this.#read(this.#slot(seq), slotHeaderBytes);
    const header = parseSlotHeader(
      new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      0,
    );
    if (header.begin !== seq) return null;
    if (header.payloadBytes > BigInt(payloadCapacity) || header.fieldsBytes > fieldsCapacity) {
      return null;
    }
    if (header.dimensions > constants.dimensions_max.value) return null;
    const payloadBytes = Number(header.payloadBytes);
    const own = header.shape;
    if (own && elementCount(own) * itemSize(this.descriptor.dtype) > payloadBytes) return null;
    // not in one call with the header: a stranger's fields_offset may be gigabytes
    const fields = this.#read(this.#slot(seq) + fieldsOffset, header.fieldsBytes);
    return {
      seq,
      header,
      shape: own ?? this.descriptor.shape,
      fields: decodeFields(fields, this.descriptor.fields),
      refersTo: decodeReference(fields, this.descriptor.fields),
      payloadBytes,
    };
  }

  #read(position: number, length: number): Uint8Array {
    return readExactly(this.fd, position, length, this.path);
  }
}

/** A stranger's sparse file may promise any size. */
function roomFor(length: number, path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch {
    throw new LayoutError(`${path}: no room for a frame of ${length} bytes`);
  }
}

function readExactly(fd: number, position: number, length: number, path: string): Uint8Array {
  const bytes = roomFor(length, path);
  let done = 0;
  while (done < length) {
    const got = readSync(fd, bytes, done, length - done, position + done);
    if (got === 0) throw new LayoutError(`${path} was truncated while it was read`);
    done += got;
  }
  return bytes;
}

/**
 * Opens the ring at `path`, which may be anything: throws LayoutError in words for what is no ring, damaged,
 * too new or truncated, and the system's error for what cannot be opened. Follows no symbolic link.
 */
export function openSegment(path: string): Segment {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fsConstants;
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new LayoutError(`${path} is no file`);
    const header = parseHeader(
      readExactly(fd, 0, Math.min(headerBytes, status.size), path),
      status.size,
    );
    const descriptor = parseDescriptor(
      readExactly(fd, header.descriptorOffset, header.descriptorBytes, path),
      header,
      path,
    );
    return new Segment(fd, path, status.uid, header, descriptor);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
