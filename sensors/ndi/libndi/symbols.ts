// The only importer of bun:ffi for libndi, as src/ring/ffi.ts is for our own shim. One table: each C function of
// libndi with its declaration. Structs are passed as the typed arrays of structs.ts themselves.
import { CString, dlopen, type FFIFunction, type Pointer, ptr, read } from "bun:ffi";

const symbols = {
  // bool NDIlib_initialize(void)
  NDIlib_initialize: { args: [], returns: "bool" },
  // const char *NDIlib_version(void)
  NDIlib_version: { args: [], returns: "ptr" },
  // NDIlib_find_instance_t NDIlib_find_create_v2(const NDIlib_find_create_t *settings)
  NDIlib_find_create_v2: { args: ["ptr"], returns: "ptr" },
  // bool NDIlib_find_wait_for_sources(NDIlib_find_instance_t finder, uint32_t timeout_ms)
  NDIlib_find_wait_for_sources: { args: ["ptr", "u32"], returns: "bool" },
  // const NDIlib_source_t *NDIlib_find_get_current_sources(NDIlib_find_instance_t finder, uint32_t *count)
  NDIlib_find_get_current_sources: { args: ["ptr", "ptr"], returns: "ptr" },
  // void NDIlib_find_destroy(NDIlib_find_instance_t finder)
  NDIlib_find_destroy: { args: ["ptr"], returns: "void" },
  // NDIlib_recv_instance_t NDIlib_recv_create_v3(const NDIlib_recv_create_v3_t *settings)
  NDIlib_recv_create_v3: { args: ["ptr"], returns: "ptr" },
  // void NDIlib_recv_connect(NDIlib_recv_instance_t receiver, const NDIlib_source_t *source)
  NDIlib_recv_connect: { args: ["ptr", "ptr"], returns: "void" },
  // NDIlib_frame_type_e NDIlib_recv_capture_v3(NDIlib_recv_instance_t receiver, NDIlib_video_frame_v2_t *video,
  //   NDIlib_audio_frame_v3_t *audio, NDIlib_metadata_frame_t *metadata, uint32_t timeout_ms)
  NDIlib_recv_capture_v3: { args: ["ptr", "ptr", "ptr", "ptr", "u32"], returns: "i32" },
  // void NDIlib_recv_free_video_v2(NDIlib_recv_instance_t receiver, const NDIlib_video_frame_v2_t *video)
  NDIlib_recv_free_video_v2: { args: ["ptr", "ptr"], returns: "void" },
  // void NDIlib_recv_free_audio_v3(NDIlib_recv_instance_t receiver, const NDIlib_audio_frame_v3_t *audio)
  NDIlib_recv_free_audio_v3: { args: ["ptr", "ptr"], returns: "void" },
  // void NDIlib_recv_free_metadata(NDIlib_recv_instance_t receiver, const NDIlib_metadata_frame_t *metadata)
  NDIlib_recv_free_metadata: { args: ["ptr", "ptr"], returns: "void" },
  // int NDIlib_recv_get_no_connections(NDIlib_recv_instance_t receiver)
  NDIlib_recv_get_no_connections: { args: ["ptr"], returns: "i32" },
  // void NDIlib_recv_get_performance(NDIlib_recv_instance_t receiver, NDIlib_recv_performance_t *total,
  //   NDIlib_recv_performance_t *dropped)
  NDIlib_recv_get_performance: { args: ["ptr", "ptr", "ptr"], returns: "void" },
  // void NDIlib_recv_get_queue(NDIlib_recv_instance_t receiver, NDIlib_recv_queue_t *queue)
  NDIlib_recv_get_queue: { args: ["ptr", "ptr"], returns: "void" },
  // void NDIlib_recv_destroy(NDIlib_recv_instance_t receiver)
  NDIlib_recv_destroy: { args: ["ptr"], returns: "void" },
  // NDIlib_send_instance_t NDIlib_send_create(const NDIlib_send_create_t *settings)
  NDIlib_send_create: { args: ["ptr"], returns: "ptr" },
  // const NDIlib_source_t *NDIlib_send_get_source_name(NDIlib_send_instance_t sender)
  NDIlib_send_get_source_name: { args: ["ptr"], returns: "ptr" },
  // void NDIlib_send_send_video_v2(NDIlib_send_instance_t sender, const NDIlib_video_frame_v2_t *video)
  NDIlib_send_send_video_v2: { args: ["ptr", "ptr"], returns: "void" },
  // void NDIlib_send_send_audio_v3(NDIlib_send_instance_t sender, const NDIlib_audio_frame_v3_t *audio)
  NDIlib_send_send_audio_v3: { args: ["ptr", "ptr"], returns: "void" },
  // void NDIlib_send_send_metadata(NDIlib_send_instance_t sender, const NDIlib_metadata_frame_t *metadata)
  NDIlib_send_send_metadata: { args: ["ptr", "ptr"], returns: "void" },
  // int NDIlib_send_get_no_connections(NDIlib_send_instance_t sender, uint32_t timeout_ms)
  NDIlib_send_get_no_connections: { args: ["ptr", "u32"], returns: "i32" },
  // void NDIlib_send_destroy(NDIlib_send_instance_t sender)
  NDIlib_send_destroy: { args: ["ptr"], returns: "void" },
} as const satisfies Record<string, FFIFunction>;

/** The functions of libndi, as declared above. */
export type Symbols = ReturnType<typeof dlopen<typeof symbols>>["symbols"];
/** Opaque: only given back to libndi. */
export type Handle = Pointer | bigint;

/** `path` is a file that {@link openLibrary} has opened. */
export function bind(path: string): Symbols {
  return dlopen(path, symbols).symbols;
}

const loader = {
  // void *dlopen(const char *file, int mode)
  dlopen: { args: ["ptr", "i32"], returns: "ptr" },
  // char *dlerror(void)
  dlerror: { args: [], returns: "ptr" },
} as const satisfies Record<string, FFIFunction>;

const RTLD_NOW = 2;

/**
 * Opens a library for as long as this process lives, by the loader itself: Bun looks for a bare name in the
 * current folder too, and then its error is about that place only.
 * @param name a path, or a bare name for the loader to look for
 * @returns null, or the loader's words about what failed
 */
export function openLibrary(name: string): string | null {
  const { dlopen: open, dlerror } = dlopen("libc.so.6", loader).symbols;
  if (open(Buffer.from(`${name}\0`), RTLD_NOW) !== null) return null;
  return textAt(dlerror()) ?? "dlopen failed";
}

/** A C string that its owner keeps; null for a null pointer. */
export function textAt(address: Pointer | bigint | number | null): string | null {
  return address ? new CString(Number(address) as Pointer).toString() : null;
}

/** The pointer that lies at `address`, 0 for a null pointer. */
export function pointerAt(address: Pointer | bigint, offsetBytes: number): number {
  return Number(read.ptr(Number(address) as Pointer, offsetBytes));
}

/** For a pointer inside a struct: valid while `memory` is referred to, which the caller sees to. */
export function addressOf(memory: Uint8Array | Float32Array): number {
  return ptr(memory);
}
