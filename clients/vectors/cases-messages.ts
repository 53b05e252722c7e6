// Message streams whose frames say which frame of another stream they were computed from.
import { type Case, readable } from "./case.ts";
import { type ReferenceSpec, reference, referenceFields } from "./reference.ts";

/** One message of nine bytes with this reference. */
function referring(name: string, about: string, spec: ReferenceSpec): Case {
  const frame = { seq: 1n, payloadBytes: 9, shape: [9], fields: reference(spec) };
  const descriptor = {
    kind: "message",
    encoding: "json",
    shape: [64],
    dims: ["byte"],
    rate: undefined,
    fields: referenceFields,
  };
  return readable(
    name,
    about,
    { fieldsCapacity: 96, descriptor },
    { latest: frame, last: { 3: [1n] } },
    (ring) => ring.publish(frame),
  );
}

export const messageCases: Case[] = [
  referring("refers-to", "a message that was computed from frame 12 of webcam", {
    stream: "webcam",
    sequence: 12n,
  }),
  referring(
    "refers-to-long-name",
    "the longest name there is, and a frame without a capture time",
    {
      stream: `a${".-_x".repeat(15)}yz`,
      sequence: (1n << 63n) + 1n,
      captureTimeNs: null,
    },
  ),
  referring("refers-to-nothing", "sequence 0: the fields are there and refer to nothing", {
    stream: "webcam",
    sequence: 0n,
    none: true,
  }),
  referring("refers-to-cut-short", "fewer than 96 bytes of metadata: no reference", {
    stream: "webcam",
    sequence: 12n,
    bytes: 88,
    none: true,
  }),
  referring("refers-to-no-name", "what stands in place of the name is no stream's: no reference", {
    stream: "../webcam",
    sequence: 12n,
    none: true,
  }),
  referring("refers-to-unended-name", "64 bytes of name: longer than a stream's can be", {
    stream: "w".repeat(64),
    sequence: 12n,
    none: true,
  }),
];
