// The ring in TypeScript: write with createWriter, read with openReader. The package's own face.
export type { Descriptor, StreamSpec } from "./descriptor.ts";
export { RingError } from "./ffi.ts";
export type { Frame } from "./frame.ts";
export { openReader, type ReaderOptions, type RingReader, type Stack } from "./reader.ts";
export { createWriter, type FrameMeta, type RingWriter, type WriterOptions } from "./writer.ts";
