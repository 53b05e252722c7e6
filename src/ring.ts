// The ring in TypeScript: write with createWriter, read with openReader. The package's own face.
export type { Descriptor, StreamSpec } from "./ring/descriptor.ts";
export { RingError } from "./ring/ffi.ts";
export type { Frame } from "./ring/frame.ts";
export type { FrameMeta } from "./ring/frame-meta.ts";
export type { MessageSpec } from "./ring/message.ts";
export { openReader, type ReaderOptions, type RingReader, type Stack } from "./ring/reader.ts";
export { type FrameReference, referenceFields } from "./ring/reference.ts";
export { type FrameSet, FrameSync, type SyncOptions, sync } from "./ring/sync.ts";
export type { MissingReason } from "./ring/sync-member.ts";
export {
  createWriter,
  type Message,
  type RingWriter,
  type WriterOptions,
} from "./ring/writer.ts";
