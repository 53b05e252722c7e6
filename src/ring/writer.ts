// The one writer of a stream: a ring, its doorbell, and new generations when the shape outgrows it.
import { join } from "node:path";
import {
  type Descriptor,
  defaultSlots,
  fieldsBytes,
  frameBytes,
  mappedDescriptor,
  messageCapacityBytes,
  type StreamSpec,
} from "./descriptor.ts";
import { doorbellFolder } from "./doorbell.ts";
import {
  check,
  cString,
  errno,
  errnoName,
  type Handle,
  lib,
  memoryAt,
  outPointer,
  RingError,
} from "./ffi.ts";
import { type FrameMeta, MetaStruct, wholeMeta } from "./frame-meta.ts";
import { completed, encodeMessage, type MessageSpec } from "./message.ts";

/** How a ring is made; everything has a default. */
export interface WriterOptions {
  /** First part of the ring's name; else $STREAMEM_PREFIX, else "streamem". */
  prefix?: string | undefined;
  /** Slots of the ring, at least 4; the readable history is one less. */
  slots?: number | undefined;
  /** Bytes of the largest frame; else that of the descriptor's shape, for messages 16 KiB. */
  payloadCapacity?: number | undefined;
  /** gid that may read: the ring gets mode 0640. Default: only this user (0600). */
  group?: number | undefined;
  /** Folder of the doorbell socket; see doorbellFolder. */
  directory?: string | undefined;
}

/** A value of a message, by the stream's encoding: json takes any that JSON has, utf8 text, msgpack almost all. */
export type Message = string | number | boolean | null | object;

/** A stream's writer; {@link createWriter} makes it. */
export class RingWriter {
  #handle: Handle | null = null;
  #bell: Handle | null = null;
  #spec: StreamSpec;
  #options: WriterOptions;
  #memory = new ArrayBuffer(0);
  #base = 0;
  #descriptor: Descriptor | undefined;
  readonly #meta = new MetaStruct();

  constructor(
    readonly name: string,
    spec: StreamSpec | MessageSpec,
    options: WriterOptions,
  ) {
    this.#spec = completed(spec, options.payloadCapacity);
    this.#options = options;
    try {
      this.#make();
    } catch (error) {
      this.close(); // the ring may be there already
      throw error;
    }
  }

  /** The descriptor as readers find it in the segment. */
  get descriptor(): Descriptor {
    return this.#descriptor as Descriptor;
  }

  /** Random id of the present ring, 32 hex digits. */
  get generation(): string {
    return this.descriptor.shm.generation;
  }

  /** Sequence of the newest published frame, 0 before the first. */
  get sequence(): bigint {
    return lib.streamem_ffi_writer_sequence(this.#open());
  }

  /** Bytes of the largest frame that fits. */
  get payloadCapacity(): number {
    return this.descriptor.shm.payloadCapacity;
  }

  /**
   * Copies `value` into the ring and publishes it, in one native call. Returns its sequence. A frame is memory; a message
   * also anything that its stream's encoding takes. A frame that does not fit starts a new generation; for a `message`
   * stream it is an error (EMSGSIZE).
   */
  publish(value: ArrayBufferView | Message, meta: FrameMeta = {}): bigint {
    const payload = this.#payload(value);
    const whole = wholeMeta(meta, this.#spec, payload.byteLength);
    this.#makeRoom(payload.byteLength);
    const bytes = payload.byteLength === 0 ? null : (payload as Uint8Array);
    const attempt = () =>
      lib.streamem_publish(
        this.#open(),
        bytes ?? this.#meta.bytes,
        payload.byteLength,
        this.#meta.fill(whole),
        whole.fields ?? null,
      );
    return this.#published(this.#withName(attempt));
  }

  /**
   * Begins a frame and gives its slot's memory (payloadCapacity bytes) to be filled in place; valid until
   * `commit` or `abort`, one of which must follow.
   */
  acquire(): Uint8Array {
    const address = this.#withName(() => lib.streamem_ffi_acquire(this.#open()) as number);
    return new Uint8Array(this.#memory, address - this.#base, this.payloadCapacity);
  }

  /** Publishes the acquired frame of `bytes` bytes. Returns its sequence. */
  commit(bytes: number, meta: FrameMeta = {}): bigint {
    const whole = wholeMeta(meta, this.#spec, bytes);
    return this.#published(
      lib.streamem_commit(this.#open(), bytes, this.#meta.fill(whole), whole.fields ?? null),
    );
  }

  /** Gives the acquired frame up; the next one gets its sequence. */
  abort(): void {
    lib.streamem_abort(this.#open());
  }

  /** A new generation under the same lock, with another spec or capacity. Readers follow by themselves. */
  renew(spec: StreamSpec | MessageSpec = this.#spec, options: WriterOptions = this.#options): void {
    this.#open();
    const before = [this.#spec, this.#options] as const;
    this.#options = { ...this.#options, ...options };
    this.#spec = completed(spec, this.#options.payloadCapacity);
    try {
      this.#make();
    } catch (error) {
      [this.#spec, this.#options] = before;
      throw error;
    }
  }

  /** How many readers are connected to the doorbell. */
  get doorbellReaders(): number {
    return this.#bell === null ? 0 : lib.streamem_bell_readers(this.#bell);
  }

  /** Ends the stream: retired, woken, unlinked. */
  close(): void {
    if (this.#handle === null) return;
    lib.streamem_bell_stop(this.#bell, 1);
    lib.streamem_writer_close(this.#handle);
    this.#handle = null;
    this.#bell = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Handle {
    if (this.#handle === null) throw new RingError("EBADF", `stream "${this.name}" is closed`);
    return this.#handle;
  }

  #capacity(): number {
    const { payloadCapacity } = this.#options;
    if (payloadCapacity !== undefined) return payloadCapacity;
    const own = frameBytes(this.#spec);
    return this.#spec.kind === "message" ? Math.max(own, messageCapacityBytes) : Math.max(own, 1);
  }

  #make(): void {
    const { prefix = process.env.STREAMEM_PREFIX || "streamem", group } = this.#options;
    const wake = join(doorbellFolder(this.#options), `${prefix}.${this.name}.sock`);
    const gid = group ?? 0xffffffff;
    if (this.#bell !== null) lib.streamem_bell_stop(this.#bell, 0);
    this.#bell = null;
    try {
      this.#create(prefix, wake, gid);
    } catch (error) {
      if (this.#goesOn()) this.#openBell(wake, gid); // with the generation it had
      throw error;
    }
    const handle = this.#open();
    const base = lib.streamem_ffi_writer_base(handle) as Handle;
    this.#memory = memoryAt(base, Number(lib.streamem_ffi_writer_bytes(handle)));
    this.#base = Number(base);
    this.#descriptor = mappedDescriptor(this.#memory, `/dev/shm/${prefix}.${this.name}`);
    this.#openBell(wake, gid);
  }

  #create(prefix: string, wake: string, gid: number): void {
    const spec = this.#spec;
    check(`making stream "${this.name}"`, (error) => {
      let result = 0;
      const made = outPointer((out) => {
        result = lib.streamem_ffi_create(
          out,
          this.#handle,
          cString(prefix),
          cString(this.name),
          cString(JSON.stringify(spec)),
          cString(wake),
          this.#capacity(),
          fieldsBytes(spec.fields),
          this.#options.slots ?? defaultSlots(spec.kind),
          gid,
          error,
        );
      });
      if (result >= 0) this.#handle = made;
      return result;
    });
  }

  /** Whether there is a ring, after one could not be made: it may have been given up to make room. */
  #goesOn(): boolean {
    return this.#handle !== null && lib.streamem_ffi_writer_base(this.#handle) !== null;
  }

  #openBell(wake: string, gid: number): void {
    check(`opening the doorbell of "${this.name}"`, (error) => {
      let result = 0;
      const bell = outPointer((out) => {
        result = lib.streamem_bell_start(out, this.#open(), cString(wake), gid, error);
      });
      if (result >= 0) this.#bell = bell;
      return result;
    });
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.payloadCapacity) return;
    if (this.#spec.kind === "message") {
      throw new RingError(
        "EMSGSIZE",
        `stream "${this.name}": a message of ${bytes} bytes, the ring takes ${this.payloadCapacity}: raise its \`payloadCapacity\` setting`,
      );
    }
    this.renew(this.#spec, { payloadCapacity: bytes });
  }

  #payload(value: ArrayBufferView | Message): ArrayBufferView {
    if (this.#spec.kind === "message") return encodeMessage(value, this.#spec.encoding);
    if (ArrayBuffer.isView(value)) return value;
    throw new RingError("EINVAL", `stream "${this.name}": ${typeof value} is no memory`);
  }

  /** Makes a new ring and tries again when somebody removed the name (ESTALE). */
  #withName(attempt: () => number): number {
    let result = attempt();
    if (result === -errno.ESTALE) {
      this.renew();
      result = attempt();
    }
    if (result < 0) throw this.#failed(result);
    return result;
  }

  #published(result: number): bigint {
    if (result < 0) throw this.#failed(result);
    return this.sequence;
  }

  #failed(result: number): RingError {
    const code = errnoName(result);
    const words: Record<string, string> = {
      EBUSY: "a frame is acquired already: commit or abort it first",
      EPERM: "it belongs to the parent process: a forked child cannot write it",
      EINVAL: "no frame is acquired",
      EMSGSIZE: `the frame or its fields do not fit (payload ${this.payloadCapacity} bytes, 8 dimensions)`,
    };
    return new RingError(code, `stream "${this.name}": ${words[code] ?? code}`);
  }
}

/**
 * Makes the ring of a stream and becomes its one writer, taking over from a dead one.
 * Throws RingError: EBUSY another writer lives, ENOSPC too little shared memory (with needed and available
 * bytes), EINVAL a name or size that is not allowed, EPERM or EACCES another user's file is in the way.
 */
export function createWriter(
  name: string,
  spec: StreamSpec | MessageSpec,
  options: WriterOptions = {},
): RingWriter {
  return new RingWriter(name, spec, options);
}
