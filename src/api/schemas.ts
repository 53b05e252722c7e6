/** What the API answers, as schemas: bodies are type-checked against them, /openapi.json shows them. */
import { z } from "@hono/zod-openapi";
import { descriptorSchema, dtypeSchema } from "../ring/descriptor.ts";
import { streamStates } from "../streams/stream.ts";
import { sensorStates } from "../supervisor/sensor-status.ts";

/** JSON's numbers end at 2^53: integers of 64 bits are decimal text. */
export const integer64 = (description: string) =>
  z
    .string()
    .regex(/^-?\d+$/)
    .openapi({ description, example: "1234567890123456789" });

const link = (description: string) => z.string().openapi({ description });

export const linksSchema = z.object({
  self: link("This stream"),
  latest: link("The newest frame's numbers"),
  npy: link("The newest frame for NumPy"),
  bin: link("The newest frame's bytes"),
  jpg: link("The newest frame as a picture; null where it is none").nullable(),
  png: link("The same without loss; depth keeps its 16 bits").nullable(),
  calibration: link("Its geometry; null where its sensor has told none").nullable(),
});

export const streamSchema = descriptorSchema
  .extend({
    sensor: z.string().nullable().openapi({
      description: "The hub's sensor that makes it; null: another program does",
    }),
    state: z.enum(streamStates).openapi({
      description:
        "stalled: no frame for max(2 s, 5 periods) where `rate` is set; dead: its writer is gone, the ring is unlinked after 60 s; retired: its writer has ended this generation",
    }),
    measuredRate: z.number().nullable().openapi({
      description: "Frames/s over about 2 s; null until two frames are known",
    }),
    bytesPerSecond: z.number().nullable(),
    ageNs: integer64("Since the newest frame was published; null before the first").nullable(),
    lastSequence: integer64("Of the newest frame in this generation, 0 before the first"),
    latency: z
      .object({
        captureToArrivalNs: integer64("From the capture to its last byte in the sensor").nullable(),
        arrivalToPublishNs: integer64("From there into the ring").nullable(),
        captureToPublishNs: integer64("Both together").nullable(),
        captureErrorNs: integer64("Bound of the error of the capture time").nullable(),
      })
      .nullable()
      .openapi({ description: "Of the newest frame, as far as its times are known" }),
    reservedBytes: z.number().openapi({ description: "Shared memory that the ring takes" }),
    wakeMode: z.enum(["none", "futex"]),
    writer: z.object({
      pid: z.int().openapi({ description: "For people, in the writer's own pid namespace" }),
      uid: z.int(),
      startedUtcNs: integer64("When this generation was made"),
    }),
    counters: z.object({
      frames: integer64("Published in all generations that the hub has seen"),
      generations: z.int(),
    }),
    links: linksSchema,
  })
  .openapi("Stream");
export type StreamBody = z.infer<typeof streamSchema>;

export const streamListSchema = z.object({ streams: z.array(streamSchema) }).openapi("StreamList");

export const frameSchema = z
  .object({
    name: z.string(),
    generation: z.string(),
    sequence: integer64("From 1, within the generation"),
    dtype: dtypeSchema,
    shape: z.array(z.int()).openapi({ description: "This frame's own" }),
    payloadBytes: z.number(),
    deviceTime: integer64("The device's own ticks, see the stream's clock").nullable(),
    captureTimeNs: integer64("That instant on CLOCK_MONOTONIC of the hub's machine").nullable(),
    timeErrorNs: integer64("Bound of the error of captureTimeNs").nullable(),
    clockEpoch: z.int().openapi({ description: "Grows when the device's clock was reset" }),
    publishTimeNs: integer64("CLOCK_MONOTONIC"),
    publishUtcNs: integer64("CLOCK_REALTIME"),
    ageNs: integer64("Since capture, since publishing where capture is unknown"),
    fields: z.record(z.string(), z.unknown()).openapi({
      description: "This frame's metadata by name; 64-bit integers as text, NaN as null",
    }),
  })
  .openapi("Frame");
export type FrameBody = z.infer<typeof frameSchema>;
/** Of the header `Streamem-Frame`: what is short, and ASCII. */
export type FrameNumbersBody = Omit<FrameBody, "dtype" | "fields">;

const clockSchema = z.object({
  method: z.enum(["probe", "one-way", "local"]),
  offsetNs: integer64("Device time in ns + offset = CLOCK_MONOTONIC").nullable(),
  errorNs: integer64("Bound of the error of capture times").nullable(),
  ratePpm: z.number().nullable(),
  roundTripNs: integer64("Of the probes").nullable(),
  probes: z.int(),
  probedNs: integer64("When the newest probe was asked, CLOCK_MONOTONIC").nullable(),
  probeAgeNs: integer64("Since then").nullable(),
  epoch: z.int(),
});

const processShape = {
  name: z.string(),
  state: z.enum(sensorStates),
  words: z.string().nullable().openapi({ description: "What goes on, for people" }),
  pid: z.int().nullable(),
  restarts: z.int(),
  streams: z.array(z.string()),
  lastError: z
    .object({
      words: z.string(),
      count: z.int().openapi({ description: "How often in a row" }),
      at: z.string().openapi({ description: "ISO 8601, UTC" }),
    })
    .nullable(),
  counters: z.record(z.string(), z.number()),
};

export const sensorSchema = z
  .object({
    ...processShape,
    kind: z.string(),
    clock: clockSchema.nullable(),
    parts: z.array(z.object(processShape)).openapi({
      description:
        "Its processes, where it runs as several; then the sensor's own numbers are what they come to",
    }),
  })
  .openapi("Sensor");
export type SensorBody = z.infer<typeof sensorSchema>;

export const sensorLogSchema = z
  .object({
    lines: z.array(
      z.object({
        at: z.string().openapi({ description: "ISO 8601, UTC" }),
        level: z.enum(["debug", "info", "warn", "error", "output"]).openapi({
          description: "output: printed by the process or one of its libraries",
        }),
        part: z.string().openapi({ description: "Which of its processes; empty where it is one" }),
        words: z.string(),
      }),
    ),
  })
  .openapi("SensorLog");
export type SensorLogBody = z.infer<typeof sensorLogSchema>;

export const sinkSchema = z
  .object({
    ...processShape,
    kind: z.string(),
    url: z.string().openapi({ description: "Without user and password" }),
    streams: z.array(z.string()).openapi({ description: "Whose messages it sends" }),
  })
  .openapi("Sink");
export type SinkBody = z.infer<typeof sinkSchema>;

export const sinkListSchema = z.object({ sinks: z.array(sinkSchema) }).openapi("SinkList");

export const sensorListSchema = z.object({ sensors: z.array(sensorSchema) }).openapi("SensorList");
