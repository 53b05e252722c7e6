// A reader in this process: the verbs of every client, over the mapped ring.
import { type Descriptor, frameBytes, mappedDescriptor } from "./descriptor.ts";
import { EventWatch } from "./doorbell.ts";
import { check, cString, errno, type Handle, lib, memoryAt, outPointer, RingError } from "./ffi.ts";
import { Frame, frameStructBytes, type Mapping } from "./frame.ts";

/** Where to look for a stream and how long. */
export interface ReaderOptions {
  prefix?: string | undefined;
  /** How long to wait for the stream to appear; 0 (the default) not at all. */
  timeoutMs?: number | undefined;
}

export const readerStates = ["live", "stalled", "dead", "retired"] as const;
export type ReaderState = (typeof readerStates)[number];

/** Frames stacked into one array, oldest first. */
export interface Stack {
  /** count * frame bytes, owned. */
  data: Uint8Array;
  sequences: bigint[];
  /** [count, …shape of one frame] */
  shape: number[];
}

const RESULT_FRAME = 1;
const slice_ms = 500; // no wait is longer before the ring's health is looked at
const turn_ms = 10; // a stream faster than its reader must not keep the event loop from everything else
/** Old generations stay mapped while a view of theirs is alive. */
const mappings = new FinalizationRegistry<Handle>((ring) => lib.streamem_ring_release(ring));

/** A stream's reader; {@link openReader} makes it. It follows a restarted writer by itself. */
export class RingReader {
  #handle: Handle | null;
  #mapping: Mapping | null = null;
  #watch: { serial: number; events: EventWatch } | null = null;
  #struct = new Uint8Array(frameStructBytes);
  /** When the event loop has had its turn last, as far as is known here. */
  #turnedAt = performance.now();

  constructor(
    handle: Handle,
    readonly path: string,
  ) {
    this.#handle = handle;
  }

  /** What the stream says about itself, in its present generation. */
  get descriptor(): Descriptor {
    return this.#current().descriptor;
  }

  /** Frames missed since this reader was opened. */
  get missed(): bigint {
    return lib.streamem_ffi_missed(this.#open());
  }

  /** `live`, `stalled` (late), `dead` (writer gone without a word) or `retired` (ended). */
  get state(): ReaderState {
    return readerStates[lib.streamem_state(this.#open())] as ReaderState;
  }

  /** One descriptor for its whole life, readable when there is something to look at; for poll and epoll. */
  get fd(): number {
    return check("making the reader's descriptor", () => lib.streamem_fd(this.#open()));
  }

  /** The newest frame, or null before the first. Never waits, may repeat. */
  latest(): Frame | null {
    return this.#frame(() => lib.streamem_latest(this.#open(), this.#struct));
  }

  /** The newest frame not given yet; waits for it. null after `timeoutMs` (default: for ever). */
  newest(options: { timeoutMs?: number } = {}): Promise<Frame | null> {
    return this.#wait(options.timeoutMs, () => lib.streamem_newest(this.#open(), this.#struct, 0));
  }

  /** The frame after the one given last; `frame.missed` counts those that were overwritten before it. */
  next(options: { timeoutMs?: number } = {}): Promise<Frame | null> {
    return this.#wait(options.timeoutMs, () => lib.streamem_next(this.#open(), this.#struct, 0));
  }

  /** The newest `n` frames still in the ring, oldest first. More than slots - 1 throws RingError ERANGE. */
  last(n: number): Frame[] {
    const structs = new Uint8Array(frameStructBytes * Math.max(0, n));
    const count = n > 0 ? lib.streamem_last(this.#open(), structs, n) : -errno.ERANGE;
    if (count < 0) {
      const { slotCount } = this.descriptor.shm;
      throw new RingError(
        "ERANGE",
        `last(${n}): stream "${this.descriptor.name}" keeps ${slotCount - 1} readable frames; raise its \`slots\` setting (${slotCount} now)`,
      );
    }
    return Array.from({ length: count }, (_, i) =>
      this.#make(structs.slice(i * frameStructBytes, (i + 1) * frameStructBytes)),
    ).filter((frame) => frame !== null);
  }

  /** The frame whose capture time (CLOCK_MONOTONIC, ns) is nearest, or null. */
  nearest(timeNs: bigint): Frame | null {
    return this.#frame(() => lib.streamem_nearest(this.#open(), timeNs, this.#struct));
  }

  /**
   * The newest `n` frames that this reader has taken as one array of checked copies; takes the newest. Up to
   * slots - 1 it fills from the ring at once, beyond that as frames are taken. Only for frames of one size.
   */
  stack(n: number): Stack {
    const { descriptor } = this.#current();
    const bytes = frameBytes(descriptor);
    const { payloadCapacity } = descriptor.shm;
    if (bytes < 0 || bytes > payloadCapacity) {
      throw new RingError(
        "EINVAL",
        `stack(${n}): a frame of the descriptor's shape has ${bytes} bytes, a slot of "${descriptor.name}" has ${payloadCapacity}`,
      );
    }
    const data = new Uint8Array(n * bytes);
    const sequences = new BigUint64Array(n);
    const count = check(`stack(${n})`, () =>
      lib.streamem_stack(this.#open(), n, bytes, data, sequences),
    );
    return {
      data: data.subarray(0, count * bytes),
      sequences: Array.from(sequences.subarray(0, count)),
      shape: [count, ...descriptor.shape],
    };
  }

  /** Every frame from now on, in order. Ends when the reader is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {
    while (this.#handle !== null) {
      const frame = await this.next({ timeoutMs: slice_ms });
      if (frame) yield frame;
    }
  }

  /** Lets go of the ring; views that are still held stay mapped. */
  close(): void {
    if (this.#handle === null) return;
    this.#unwatch();
    lib.streamem_reader_close(this.#handle);
    this.#handle = null;
    this.#mapping = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Handle {
    if (this.#handle === null) throw new RingError("EBADF", "this reader is closed");
    return this.#handle;
  }

  #current(): Mapping {
    const ring = lib.streamem_ffi_ring(this.#open()) as Handle;
    if (this.#mapping?.ring === ring) return this.#mapping;
    const base = lib.streamem_ffi_ring_base(ring) as Handle;
    const buffer = this.#memory(base, Number(lib.streamem_ffi_ring_bytes(ring)));
    const descriptor = mappedDescriptor(buffer, this.path);
    lib.streamem_ring_hold(ring);
    mappings.register(buffer, ring);
    this.#mapping = { buffer, base: Number(base), ring, descriptor };
    return this.#mapping;
  }

  #memory(base: Handle, bytes: number): ArrayBuffer {
    try {
      return memoryAt(base, bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // JavaScript's buffers end at 4 GiB
      throw new RingError(
        "EFBIG",
        `${this.path}: a ring of ${bytes} bytes is too large for this reader`,
      );
    }
  }

  #make(struct: Uint8Array): Frame | null {
    try {
      return new Frame(struct, this.#current());
    } catch (error) {
      if (error instanceof RingError && error.code === "ESTALE") return null; // lapped while its fields were copied
      throw error;
    }
  }

  #frame(call: () => number): Frame | null {
    const result = call();
    if (result !== RESULT_FRAME) return null;
    const struct = this.#struct;
    this.#struct = new Uint8Array(frameStructBytes);
    return this.#make(struct);
  }

  async #wait(timeoutMs: number | undefined, call: () => number): Promise<Frame | null> {
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    this.#open();
    if (timeoutMs !== 0 && performance.now() - this.#turnedAt > turn_ms) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#turnedAt = performance.now();
      if (this.#handle === null) return null; // closed meanwhile
    }
    for (;;) {
      const watch = timeoutMs === 0 ? null : this.#watched();
      const frame = this.#frame(call);
      const left = deadline - performance.now();
      if (frame || left <= 0) return frame;
      if (watch && this.#watched() !== watch) continue; // the call went on to a successor: wait for that one
      const retired = lib.streamem_ffi_retired(this.#open()) === 1;
      const pause = retired ? 10 : slice_ms; // a successor comes within milliseconds
      if (watch) await watch.wait(Math.min(left, pause));
      else await Bun.sleep(Math.min(left, 2)); // the writer wakes nobody
      this.#turnedAt = performance.now();
      if (this.#handle === null) return null;
    }
  }

  #watched(): EventWatch | null {
    const fd =
      check("waiting", () => Math.max(-1, lib.streamem_ffi_event_fd(this.#open())) + 1) - 1;
    const serial = lib.streamem_ffi_event_serial(this.#open());
    if (fd >= 0 && this.#watch?.serial === serial) return this.#watch.events;
    this.#unwatch();
    if (fd < 0) return null;
    const copy = check("waiting", () => lib.streamem_ffi_event_dup(this.#open()));
    this.#watch = { serial, events: new EventWatch(copy) };
    return this.#watch.events;
  }

  #unwatch(): void {
    this.#watch?.events.close();
    this.#watch = null;
  }
}

/**
 * Opens a stream by name, or by path if the name has a slash; waits for it at most `timeoutMs`.
 * Throws RingError: ENOENT not there, EBADMSG no ring or a damaged one, EPROTO a newer major version, EACCES.
 */
export async function openReader(name: string, options: ReaderOptions = {}): Promise<RingReader> {
  const deadline = performance.now() + (options.timeoutMs ?? 0);
  const prefix = options.prefix ?? (process.env.STREAMEM_PREFIX || "streamem");
  const path = name.includes("/") ? name : `/dev/shm/${prefix}.${name}`;
  for (;;) {
    try {
      return new RingReader(openOnce(name, cString(prefix)), path);
    } catch (error) {
      const missing = error instanceof RingError && error.code === "ENOENT";
      if (!missing || performance.now() >= deadline) throw error;
    }
    await Bun.sleep(10);
  }
}

function openOnce(name: string, prefix: Uint8Array): Handle {
  let handle: Handle | null = null;
  check(`opening "${name}"`, (error) => {
    let result = 0;
    handle = outPointer((out) => {
      result = lib.streamem_open(out, prefix, cString(name), 0, error);
    });
    return result;
  });
  return handle as unknown as Handle;
}
