/** Messages as the API takes and gives them. */
import { z } from "@hono/zod-openapi";
import { streamName } from "../../sensors/sensor.ts";
import type { MessageMeta } from "../messages/message-streams.ts";
import { cursorText } from "../messages/read-messages.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import type { Segment, SegmentFrame } from "../ring/segment.ts";
import type { FrameReference } from "../ring.ts";
import { parseExactly } from "./exact-json.ts";
import { Problem } from "./problem.ts";
import { integer64 } from "./schemas.ts";

const unsigned = (description: string) =>
  z
    .string()
    .regex(/^\d{1,20}$/)
    .refine((text) => BigInt(text) < 0xffff_ffff_ffff_ffffn)
    .openapi({ description, example: "1234567890123456789" });

const generation = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ description: "Of the ring, 32 hexadecimal digits" });

export const referenceSchema = z
  .strictObject({
    // Not by .openapi(): this schema may have been made before the library that adds it was loaded.
    stream: streamName,
    generation,
    sequence: unsigned("Of the frame, 1 or more").refine((text) => BigInt(text) > 0n),
    captureTimeNs: unsigned("Its instant of capture, CLOCK_MONOTONIC").nullable(),
  })
  .openapi("FrameReference");

export const newMessageSchema = z
  .strictObject({
    message: z.unknown().openapi({
      description:
        "By the stream's encoding: json any JSON value, utf8 a string, msgpack a string in base64. Numbers keep their digits",
    }),
    captureTimeNs: unsigned(
      "CLOCK_MONOTONIC; without it that of the frame it refers to",
    ).optional(),
    timeErrorNs: unsigned("Bound of the error of captureTimeNs").optional(),
    refersTo: referenceSchema.nullish().openapi({
      description: "The frame that the message was computed from",
    }),
  })
  .openapi("NewMessage");

export const publishedSchema = z
  .object({
    cursor: z.string().openapi({ description: "<generation>.<sequence>" }),
    generation,
    sequence: integer64("Of the message, from 1 in each generation"),
  })
  .openapi("PublishedMessage");

export const messageSchema = z
  .object({
    cursor: z.string(),
    generation,
    sequence: integer64("From 1, within the generation"),
    captureTimeNs: integer64("CLOCK_MONOTONIC of the hub's machine").nullable(),
    timeErrorNs: integer64("Bound of the error of captureTimeNs").nullable(),
    publishTimeNs: integer64("CLOCK_MONOTONIC"),
    publishUtcNs: integer64("CLOCK_REALTIME"),
    refersTo: referenceSchema.nullable(),
    message: z.unknown().openapi({ description: "As in NewMessage" }),
    unreadable: z.string().nullable().openapi({
      description: "Why `message` is null: the bytes are not what the stream's encoding says",
    }),
  })
  .openapi("Message");
export type MessageBody = z.infer<typeof messageSchema>;

export const messagesSchema = z
  .object({
    messages: z.array(messageSchema),
    cursor: z.string().openapi({ description: "Ask for what comes after it next time" }),
    newGeneration: z.boolean().openapi({
      description: "The writer has begun a new ring since `after`: sequences started again at 1",
    }),
    missed: integer64("Overwritten between `after` and the first of these, in this generation"),
  })
  .openapi("Messages");

export function messageBody(segment: Segment, frame: SegmentFrame & { payload: Uint8Array }) {
  const { header, seq, payload } = frame;
  const text = (value: bigint | null) => (value === null ? null : value.toString());
  return {
    cursor: cursorText({ generation: segment.generation, sequence: seq }),
    generation: segment.generation,
    sequence: seq.toString(),
    captureTimeNs: text(header.captureTimeNs),
    timeErrorNs: text(header.timeErrorNs),
    publishTimeNs: header.publishTimeNs.toString(),
    publishUtcNs: header.publishUtcNs.toString(),
    refersTo: frame.refersTo && referenceBody(frame.refersTo),
    ...messageValue(payload, segment.descriptor.encoding),
  } satisfies MessageBody;
}

function referenceBody({ sequence, captureTimeNs, ...rest }: FrameReference) {
  return {
    ...rest,
    sequence: sequence.toString(),
    captureTimeNs: captureTimeNs === null ? null : captureTimeNs.toString(),
  };
}

function messageValue(payload: Uint8Array, encoding: Descriptor["encoding"] = "json") {
  if (encoding === "msgpack") {
    return { message: Buffer.from(payload).toString("base64"), unreadable: null };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    return { message: encoding === "utf8" ? text : parseExactly(text), unreadable: null };
  } catch (error) {
    return { message: null, unreadable: `not ${encoding}: ${(error as Error).message}` };
  }
}

/** The bytes of a posted message. `text`: the whole body, since a parsed one has lost digits. */
export function messageBytes(text: string, encoding: Descriptor["encoding"] = "json"): Uint8Array {
  const { message } = parseExactly(text) as { message: unknown };
  if (encoding === "json") {
    if (message === undefined) throw badMessage("is missing: any JSON value");
    return Buffer.from(JSON.stringify(message));
  }
  if (typeof message !== "string") {
    throw badMessage(`is no string: the stream's encoding is ${encoding}`);
  }
  if (encoding === "utf8") return Buffer.from(message);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(message) || message.length % 4 !== 0) {
    throw badMessage("is no base64: the stream's encoding is msgpack");
  }
  return Buffer.from(message, "base64");
}

function badMessage(words: string): Problem {
  return new Problem({
    status: 400,
    kind: "bad-message",
    title: "Not a message of this stream",
    detail: `\`message\` ${words}.`,
  });
}

export function metaOf(body: z.infer<typeof newMessageSchema>): MessageMeta {
  const number = (text: string | undefined) => (text === undefined ? undefined : BigInt(text));
  const { refersTo } = body;
  return {
    captureTimeNs: number(body.captureTimeNs),
    timeErrorNs: number(body.timeErrorNs),
    refersTo: refersTo && {
      ...refersTo,
      sequence: BigInt(refersTo.sequence),
      captureTimeNs: refersTo.captureTimeNs === null ? null : BigInt(refersTo.captureTimeNs),
    },
  };
}
