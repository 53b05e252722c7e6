// Streams of messages: what their descriptors say by default, and how a value becomes bytes and back.
import { pack, unpack } from "msgpackr";
import { type Descriptor, messageCapacityBytes, type StreamSpec } from "./descriptor.ts";
import { RingError } from "./ffi.ts";
import { referenceFields } from "./reference.ts";

/** What a producer of messages has to say; `encoding` is json where it is left out. */
export type MessageSpec = { kind: "message" } & Partial<StreamSpec>;

/** The spec completed, where it is one of messages. */
export function completed(
  spec: StreamSpec | MessageSpec,
  payloadCapacity = messageCapacityBytes,
): StreamSpec {
  if (spec.kind !== "message") return spec as StreamSpec;
  return {
    dtype: "|u1",
    shape: [payloadCapacity],
    dims: ["byte"],
    encoding: "json",
    fields: referenceFields,
    ...spec,
  };
}

/** A message as bytes: bytes as they are, anything else by the stream's encoding. Throws RingError EINVAL. */
export function encodeMessage(
  value: unknown,
  encoding: Descriptor["encoding"] = "json",
): ArrayBufferView {
  if (ArrayBuffer.isView(value)) return value;
  if (encoding === "msgpack") return pack(value);
  const text = encoding === "utf8" ? value : JSON.stringify(value);
  if (typeof text === "string") return Buffer.from(text);
  throw new RingError("EINVAL", `${typeof value} is no ${encoding} message`);
}

/** What the bytes of a message say; bytes where the stream names no encoding. Throws what their parser throws. */
export function decodeMessage(bytes: Uint8Array, encoding: Descriptor["encoding"]): unknown {
  switch (encoding) {
    case "json":
      return JSON.parse(new TextDecoder().decode(bytes));
    case "utf8":
      return new TextDecoder().decode(bytes);
    case "msgpack":
      return unpack(bytes);
    default:
      return bytes;
  }
}
