// Metadata areas of messages that say which frame they were computed from: LAYOUT.md, "Message streams".
import type { StatedFields } from "./build.ts";

/** What a message stream's descriptor has first in `fields`: 96 bytes. */
export const referenceFields = [
  { name: "refers_to_sequence", dtype: "<u8", shape: [], offset: 0 },
  { name: "refers_to_capture_time_ns", dtype: "<u8", shape: [], offset: 8, unit: "ns" },
  { name: "refers_to_generation", dtype: "|u1", shape: [16], offset: 16 },
  { name: "refers_to_stream", dtype: "|u1", shape: [64], offset: 32 },
];

const UNKNOWN = 0xffff_ffff_ffff_ffffn;
const GENERATION = "00112233445566778899aabbccddeeff";

export interface ReferenceSpec {
  stream: string;
  sequence: bigint;
  /** null: all ones, unknown. */
  captureTimeNs?: bigint | null;
  /** How much of the area the frame has; the stream's name ends beyond 88. */
  bytes?: number;
  /** The reader has to say that there is none. */
  none?: boolean;
}

/** The area's bytes, and what a reader makes of them. */
export function reference(spec: ReferenceSpec): StatedFields {
  const { stream, sequence, captureTimeNs = 1_234_567_890_123_456_789n, bytes = 96, none } = spec;
  const area = Buffer.alloc(96);
  area.writeBigUInt64LE(sequence, 0);
  area.writeBigUInt64LE(captureTimeNs ?? UNKNOWN, 8);
  area.write(GENERATION, 16, "hex");
  area.write(stream, 32, "latin1");
  const list = (from: number, to: number) => [...area.subarray(from, to)].map(String);
  return {
    bytes: area.subarray(0, bytes),
    values: {
      refers_to_sequence: sequence.toString(),
      refers_to_capture_time_ns: (captureTimeNs ?? UNKNOWN).toString(),
      refers_to_generation: list(16, 32),
      ...(bytes === 96 && { refers_to_stream: list(32, 96) }),
    },
    refersTo: none
      ? null
      : {
          stream,
          generation: GENERATION,
          sequence: sequence.toString(),
          captureTimeNs: captureTimeNs === null ? null : captureTimeNs.toString(),
        },
  };
}
