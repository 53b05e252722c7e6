/**
 * Sends messages on to Redis, as entries of a stream (XADD) or of a list (RPUSH). What comes while Redis is away waits in a
 * bounded buffer, the oldest go first, and are counted. A message may be there twice where the connection broke while it was
 * sent: `generation` and `sequence` tell.
 */
import { z } from "zod";
import { type SensorKind, streamName } from "../sensors/sensor.ts";
import { createMessageBuffer } from "./message-buffer.ts";
import { followMessages } from "./message-source.ts";
import { sendTo } from "./redis-connection.ts";

const config = z.strictObject({
  kind: z.literal("redis"),
  name: streamName.default("redis"),
  url: z
    .string()
    .regex(/^rediss?:\/\/\S+$/)
    .describe("redis://user:password@host:port/database, or rediss:// with TLS"),
  streams: z.array(streamName).min(1),
  key: z.string().min(1).max(512).default("{stream}"),
  mode: z.enum(["stream", "list"]).default("stream"),
  maxLength: z.number().int().min(1).max(1e9).default(10_000),
  bufferBytes: z
    .number()
    .int()
    .min(1 << 10)
    .max(1 << 30)
    .default(16 << 20),
});

export type RedisConfig = z.infer<typeof config>;

export const redis: SensorKind<RedisConfig> = {
  kind: "redis",
  summary: "messages to a Redis stream or list",
  config,
  streams: () => [],

  async run(config, context) {
    const { signal, counters, prefix } = context;
    Object.assign(counters, { sent: 0, dropped: 0, missed: 0, buffered: 0, connections: 0 });
    const buffer = createMessageBuffer(config.bufferBytes, counters);
    const reading = config.streams.map((stream) =>
      followMessages(stream, { prefix, signal, counters, log: context.log, take: buffer.put }),
    );
    await Promise.all([...reading, sendTo(config, buffer, context)]);
  },
};
