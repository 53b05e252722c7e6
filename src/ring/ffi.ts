// The only importer of bun:ffi for native/ (libndi has sensors/ndi/libndi/symbols.ts). One table: each C function with
// its declaration; one function that turns a code into an Error. Typed arrays are passed themselves: a kept ptr() of
// one may go stale.
import { cc, dlopen, type FFIFunction, FFIType, type Pointer, toArrayBuffer } from "bun:ffi";
import { constants } from "node:os";
import { buildShim, shimSource } from "./build.ts";

const symbols = {
  // int streamem_ffi_create(streamem_writer **out, streamem_writer *renewed, const char *prefix, const char *name,
  //   const char *descriptor, const char *wake_path, uint64_t payload_capacity, uint32_t fields_capacity,
  //   uint32_t slot_count, uint32_t group, streamem_error *error)
  streamem_ffi_create: {
    args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr", "u64", "u32", "u32", "u32", "ptr"],
    returns: "i32",
  },
  // int64_t streamem_ffi_acquire(streamem_writer *writer)
  streamem_ffi_acquire: { args: ["ptr"], returns: FFIType.i64_fast },
  // int streamem_abort(streamem_writer *w)
  streamem_abort: { args: ["ptr"], returns: "i32" },
  // int streamem_commit(streamem_writer *w, uint64_t bytes, const streamem_meta *meta, const void *fields)
  streamem_commit: { args: ["ptr", "u64", "ptr", "ptr"], returns: "i32" },
  // int streamem_publish(streamem_writer *w, const void *payload, uint64_t bytes, const streamem_meta *meta, const void *fields)
  streamem_publish: { args: ["ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  // void streamem_writer_close(streamem_writer *w)
  streamem_writer_close: { args: ["ptr"], returns: "void" },
  // uint64_t streamem_ffi_writer_sequence(const streamem_writer *writer)
  streamem_ffi_writer_sequence: { args: ["ptr"], returns: "u64" },
  // void *streamem_ffi_writer_base(const streamem_writer *writer)
  streamem_ffi_writer_base: { args: ["ptr"], returns: "ptr" },
  // uint64_t streamem_ffi_writer_bytes(const streamem_writer *writer)
  streamem_ffi_writer_bytes: { args: ["ptr"], returns: FFIType.u64_fast },
  // int streamem_ffi_writer_name_gone(const streamem_writer *writer)
  streamem_ffi_writer_name_gone: { args: ["ptr"], returns: "i32" },
  // int streamem_bell_start(streamem_bell **out, streamem_writer *writer, const char *path, uint32_t group, streamem_error *error)
  streamem_bell_start: { args: ["ptr", "ptr", "ptr", "u32", "ptr"], returns: "i32" },
  // void streamem_bell_stop(streamem_bell *bell, int unlink_path)
  streamem_bell_stop: { args: ["ptr", "i32"], returns: "void" },
  // uint32_t streamem_bell_readers(streamem_bell *bell)
  streamem_bell_readers: { args: ["ptr"], returns: "u32" },
  // int streamem_open(streamem_reader **out, const char *prefix, const char *name, int64_t timeout_ms, streamem_error *error)
  streamem_open: { args: ["ptr", "ptr", "ptr", "i64", "ptr"], returns: "i32" },
  // int streamem_latest(streamem_reader *reader, streamem_frame *frame)
  streamem_latest: { args: ["ptr", "ptr"], returns: "i32" },
  // int streamem_newest(streamem_reader *reader, streamem_frame *frame, int64_t timeout_ms)
  streamem_newest: { args: ["ptr", "ptr", "i64"], returns: "i32" },
  // int streamem_next(streamem_reader *reader, streamem_frame *frame, int64_t timeout_ms)
  streamem_next: { args: ["ptr", "ptr", "i64"], returns: "i32" },
  // int streamem_last(streamem_reader *reader, streamem_frame *frames, uint32_t n)
  streamem_last: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  // int streamem_nearest(streamem_reader *reader, uint64_t time_ns, streamem_frame *frame)
  streamem_nearest: { args: ["ptr", "u64", "ptr"], returns: "i32" },
  // int streamem_stack(streamem_reader *reader, uint32_t n, uint64_t frame_bytes, void *out, uint64_t *sequences)
  streamem_stack: { args: ["ptr", "u32", "u64", "ptr", "ptr"], returns: "i32" },
  // int streamem_valid(const streamem_frame *frame)
  streamem_valid: { args: ["ptr"], returns: "i32" },
  // int streamem_copy(const streamem_frame *frame, void *out, uint64_t out_bytes)
  streamem_copy: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  // int streamem_copy_fields(const streamem_frame *frame, void *out, uint64_t out_bytes)
  streamem_copy_fields: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  // int streamem_state(streamem_reader *reader)
  streamem_state: { args: ["ptr"], returns: "i32" },
  // int streamem_fd(streamem_reader *reader)
  streamem_fd: { args: ["ptr"], returns: "i32" },
  // int streamem_ffi_event_fd(streamem_reader *reader)
  streamem_ffi_event_fd: { args: ["ptr"], returns: "i32" },
  // uint32_t streamem_ffi_event_serial(const streamem_reader *reader)
  streamem_ffi_event_serial: { args: ["ptr"], returns: "u32" },
  // int streamem_ffi_event_dup(streamem_reader *reader)
  streamem_ffi_event_dup: { args: ["ptr"], returns: "i32" },
  // void streamem_reader_close(streamem_reader *reader)
  streamem_reader_close: { args: ["ptr"], returns: "void" },
  // streamem_ring *streamem_ffi_ring(const streamem_reader *reader)
  streamem_ffi_ring: { args: ["ptr"], returns: "ptr" },
  // const void *streamem_ffi_ring_base(const streamem_ring *ring)
  streamem_ffi_ring_base: { args: ["ptr"], returns: "ptr" },
  // uint64_t streamem_ffi_ring_bytes(const streamem_ring *ring)
  streamem_ffi_ring_bytes: { args: ["ptr"], returns: FFIType.u64_fast },
  // uint64_t streamem_ffi_missed(const streamem_reader *reader)
  streamem_ffi_missed: { args: ["ptr"], returns: "u64" },
  // int streamem_ffi_retired(const streamem_reader *reader)
  streamem_ffi_retired: { args: ["ptr"], returns: "i32" },
  // void streamem_ring_hold(streamem_ring *ring)
  streamem_ring_hold: { args: ["ptr"], returns: "void" },
  // void streamem_ring_release(streamem_ring *ring)
  streamem_ring_release: { args: ["ptr"], returns: "void" },
  // int streamem_lock_held(int fd)
  streamem_lock_held: { args: ["i32"], returns: "i32" },
  // uint64_t streamem_room(void)
  streamem_room: { args: [], returns: "u64" },
  // int streamem_sweep(const char *prefix, const char *name)
  streamem_sweep: { args: ["ptr", "ptr"], returns: "i32" },
  // void streamem_fill_noise(void *target, uint64_t bytes, uint64_t seed)
  streamem_fill_noise: { args: ["ptr", "u64", "u64"], returns: "void" },
  // native/pixels.c: all int, (target, its bytes)…, (what is read, its bytes, its stride)…, uint32_t width, height
  streamem_copy_rows: { args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"], returns: "i32" },
  streamem_triple_rows: { args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"], returns: "i32" },
  streamem_ahat_depth: { args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"], returns: "i32" },
  streamem_ahat_ab_luma: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  streamem_ahat_ab: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  // depth; zero map, predictors, edges, surfaces, each with its bytes
  streamem_zdepth: {
    args: ["ptr", "u64", "ptr", "u64", "ptr", "u64", "ptr", "u64", "ptr", "u64", "u32", "u32"],
    returns: "i32",
  },
  // depth, ab, rows, each with its bytes
  streamem_unfilter_planes: {
    args: ["ptr", "u64", "ptr", "u64", "ptr", "u64", "u32", "u32"],
    returns: "i32",
  },
  // native/shrink.c: all int, (target, its bytes), fd, offset, stride, width, height…
  // …samples, n
  streamem_shrink: {
    args: ["ptr", "u64", "i32", "u64", "u64", "u32", "u32", "u32", "u32"],
    returns: "i32",
  },
  // int streamem_shrink_422(target, its bytes, int fd, luma's offset, chroma's, uint32_t chroma's byte, uint64_t stride, uint32_t width, height, n)
  streamem_shrink_422: {
    args: ["ptr", "u64", "i32", "u64", "u64", "u32", "u64", "u32", "u32", "u32"],
    returns: "i32",
  },
  // …n
  streamem_pick_16: {
    args: ["ptr", "u64", "i32", "u64", "u64", "u32", "u32", "u32"],
    returns: "i32",
  },
  // int streamem_yuv_to_rgb(target, its bytes, luma, its bytes, u, v, bytes of each, uint32_t step, width, height, chroma's width, height)
  streamem_yuv_to_rgb: {
    args: ["ptr", "u64", "ptr", "u64", "ptr", "ptr", "u64", "u32", "u32", "u32", "u32", "u32"],
    returns: "i32",
  },
  // native/bgr24.c: as above
  streamem_bgrx_rows: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  streamem_bgrx_rows_plain: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  streamem_uyvy_rows: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  streamem_uyvy_rows_plain: {
    args: ["ptr", "u64", "ptr", "u64", "u64", "u32", "u32"],
    returns: "i32",
  },
  // int streamem_end_with_parent(int parent)
  streamem_end_with_parent: { args: ["i32"], returns: "i32" },
  // uint64_t streamem_ffi_clock_ns(int clock)
  streamem_ffi_clock_ns: { args: ["i32"], returns: "u64" },
} as const satisfies Record<string, FFIFunction>;

function load() {
  const built = buildShim();
  if (built.path !== null) return { how: built.path, symbols: dlopen(built.path, symbols).symbols };
  if (process.arch !== "x64") {
    throw new Error(
      `the native shim cannot be built: ${built.why}; on ${process.arch} install a compiler (Debian: apt-get install gcc libc6-dev)`,
    );
  }
  // Bun's own TinyCC, which has neither libc headers nor atomics: see no_libc.h and ring rule "no compiler".
  const compiled = cc({ source: shimSource, symbols, define: { STREAMEM_NO_LIBC_HEADERS: "1" } });
  return { how: `TinyCC (${built.why})`, symbols: compiled.symbols as never };
}

const loaded: { how: string; symbols: ReturnType<typeof dlopen<typeof symbols>>["symbols"] } =
  load();

/** The shim's functions, as declared above. */
export const lib = loaded.symbols;
/** Path of the compiled library, or a note that TinyCC compiled it. For `streamem doctor`. */
export const shimOrigin = loaded.how;

export type Handle = Pointer;

/** An error of the ring with the errno's name in `code`, for instance "EBUSY". */
export class RingError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "RingError";
  }
}

export const errno = constants.errno;

/** The errno's name of a negative result. */
export function errnoName(result: number): string {
  return Object.entries(errno).find(([, value]) => value === -result)?.[0] ?? `errno ${-result}`;
}

const errorBytes = new Uint8Array(512); // streamem_error: int32 code, char text[508]

/**
 * Calls `call` with a buffer for the error's sentence and throws that sentence if the result is negative.
 * `what` stands in for the sentence where C gave none.
 */
export function check(what: string, call: (error: Uint8Array) => number): number {
  errorBytes.fill(0);
  const result = call(errorBytes);
  if (result >= 0) return result;
  const text = errorBytes.subarray(4, Math.max(4, errorBytes.indexOf(0, 4)));
  const sentence = new TextDecoder().decode(text);
  throw new RingError(errnoName(result), sentence || `${what} failed: ${errnoName(result)}`);
}

/** A NUL-terminated copy of `text` for a `const char *`. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

const outCell = new BigUint64Array(1);

/** Calls `call` with the address cell of an out-parameter and returns the pointer that C put there. */
export function outPointer(call: (out: BigUint64Array) => void): Handle {
  outCell[0] = 0n;
  call(outCell);
  return Number(outCell[0]) as Handle;
}

/** `bytes` of memory at `address` as an ArrayBuffer that nobody frees: its owner must outlive every view. */
export function memoryAt(address: Handle, bytes: number): ArrayBuffer {
  return toArrayBuffer(address, 0, bytes);
}

/** CLOCK_MONOTONIC in ns: the clock of every capture and publish time. */
export function monotonicNs(): bigint {
  return lib.streamem_ffi_clock_ns(1);
}

/** CLOCK_REALTIME in ns. */
export function utcNs(): bigint {
  return lib.streamem_ffi_clock_ns(0);
}

/** Fills `target` with noise whose first 8 bytes are `seed`; see native/noise.c. */
export function fillNoise(target: Uint8Array, seed: bigint): void {
  lib.streamem_fill_noise(target, target.byteLength, seed);
}

/** Bytes that a new ring may take: free in /dev/shm and allowed by the memory cgroup. */
export function roomBytes(): bigint {
  return lib.streamem_room();
}

/** Whether a writer holds the ring behind `fd` (open for reading is enough). */
export function writerAlive(fd: number): boolean {
  return lib.streamem_lock_held(fd) === 1;
}

/**
 * Removes what a dead writer left of one stream: ring (retired first, so that readers know), temporaries, lock.
 * True if something was removed; false if its writer lives or there is nothing. Never touches another user's files.
 */
export function sweepStream(prefix: string, name: string): boolean {
  return (
    check(`sweeping ${prefix}.${name}`, () =>
      lib.streamem_sweep(cString(prefix), cString(name)),
    ) === 1
  );
}

/** Ends this process when process `parentPid` ends: SIGTERM, and 1.5 s later at once. */
export function endWithParent(parentPid: number): void {
  check("watching the parent process", () => lib.streamem_end_with_parent(parentPid));
}
