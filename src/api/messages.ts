/** `/api/v1/streams/{name}/messages`: message streams for those who cannot map memory. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamName } from "../../sensors/sensor.ts";
import { TooManyStreams } from "../messages/message-streams.ts";
import { type Cursor, cursorText, parseCursor, readMessages } from "../messages/read-messages.ts";
import { RingError } from "../ring.ts";
import type { Stream } from "../streams/stream.ts";
import type { Parts } from "./app.ts";
import { findStream, reading } from "./find.ts";
import type { ApiEnv } from "./guard.ts";
import {
  messageBody,
  messageBytes,
  messagesSchema,
  metaOf,
  newMessageSchema,
  publishedSchema,
} from "./message-bodies.ts";
import { tellMessages } from "./message-events.ts";
import { Problem, type ProblemStatus, problems } from "./problem.ts";
import { nameParameter } from "./streams.ts";

const path = "/api/v1/streams/{name}/messages";
const limitMax = 1000;

const send = createRoute({
  method: "post",
  path,
  tags: ["messages"],
  summary: "Publish a message; a stream that is not there is made, of encoding json",
  request: {
    params: nameParameter,
    body: { required: true, content: { "application/json": { schema: newMessageSchema } } },
  },
  responses: {
    201: {
      description: "It can be read",
      content: { "application/json": { schema: publishedSchema } },
    },
    ...problems({
      400: "Not a message of this stream, or no stream's name",
      409: "A sensor or another program writes this stream",
      413: "Too large; the detail names the setting",
      415: "Not application/json",
      503: "Too little shared memory, or too many streams",
    }),
  },
});

const read = createRoute({
  method: "get",
  path,
  tags: ["messages"],
  summary: "Messages after a cursor, in order; as server-sent events where Accept asks for them",
  description:
    "Without `after`: from the oldest in the ring on. As events: `message` with the cursor as its id, `generation` where a new one begins, `gone` where the stream ends; EventSource goes on where it was by itself.",
  request: {
    params: nameParameter,
    query: z.object({
      after: z.string().optional().openapi({ description: "A cursor, <generation>.<sequence>" }),
      limit: z.coerce.number().int().min(1).max(limitMax).default(100),
    }),
    headers: z.object({ "last-event-id": z.string().optional() }),
  },
  responses: {
    200: {
      description: "The messages; none where nothing came since",
      content: {
        "application/json": { schema: messagesSchema },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...problems({
      400: "No cursor, or no such limit",
      404: "Unknown stream, or not one of messages",
      503: "Its ring cannot be read",
    }),
  },
});

export function messageRoutes(parts: Parts) {
  const { registry, supervisor, messages } = parts;
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseOthers });
  app.use("/api/v1/streams/:name/messages", (c, next) => {
    const capacity = messages.payloadCapacity(c.req.param("name"));
    // A character of JSON may be written in six, and there is more in the body than the message.
    return bodyLimit({ maxSize: 6 * capacity + (64 << 10), onError: () => tooLarge(capacity) })(
      c,
      next,
    );
  });
  app.openapi(send, async (c) => {
    const { name } = c.req.valid("param");
    const meta = metaOf(c.req.valid("json"));
    const text = await c.req.text();
    requireOurs(name);
    const { generation, sequence } = inProblems(name, () => {
      return messages.publish(name, messageBytes(text, messages.encoding(name)), meta);
    });
    registry.scan(); // whoever asks next knows it
    const cursor = cursorText({ generation, sequence });
    return c.json({ cursor, generation, sequence: sequence.toString() }, 201, fresh);
  });
  app.openapi(read, (c) => {
    const { name } = c.req.valid("param");
    const { after, limit } = c.req.valid("query");
    const cursor = cursorOf(after ?? c.req.valid("header")["last-event-id"]);
    requireMessages(findStream(registry, name));
    if (wantsEvents(c)) return tellMessages(c, registry, name, cursor);
    const body = reading(registry, name, () => {
      const { segment } = findStream(registry, name);
      const batch = readMessages(segment, cursor, limit);
      return {
        ...batch,
        messages: batch.messages.map((frame) => messageBody(segment, frame)),
        cursor: cursorText(batch.cursor),
        missed: batch.missed.toString(),
      };
    });
    return c.json(body, 200, fresh);
  });
  return app;

  function requireOurs(name: string): void {
    if (!streamName.safeParse(name).success) {
      throw problem(
        400,
        "bad-name",
        "Not a stream's name",
        `"${name}" is no stream's name; allowed: ${streamName.description}.`,
      );
    }
    if (messages.names().includes(name)) return;
    // A sensor may make any stream that begins with its name, today or after a reconnect.
    const sensor = supervisor.list().find((one) => `${name}.`.startsWith(`${one.name}.`));
    if (sensor) throw taken(name, `the sensor "${sensor.name}"`);
    const known = registry.get(name);
    if (known?.writerAlive()) {
      throw taken(name, `another program (process ${known.segment.header.writerPid})`);
    }
  }
}

const fresh = { "Cache-Control": "no-store" };

function wantsEvents(c: Context): boolean {
  return c.req.header("accept")?.includes("text/event-stream") ?? false;
}

function cursorOf(text: string | undefined): Cursor | null {
  if (text === undefined || text === "") return null;
  const cursor = parseCursor(text);
  if (cursor) return cursor;
  throw problem(
    400,
    "bad-cursor",
    "Not a cursor",
    `"${text.slice(0, 80)}" is no cursor; allowed: <generation>.<sequence>, as an earlier answer gave it.`,
  );
}

function requireMessages({ name, segment: { descriptor } }: Stream): void {
  if (descriptor.kind === "message") return;
  throw problem(
    404,
    "no-messages",
    "Not a stream of messages",
    `Stream "${name}" is of kind ${descriptor.kind}: its frames are at /api/v1/streams/${name}/latest.`,
  );
}

/** What the ring refuses, in the API's words. */
function inProblems<Result>(name: string, publish: () => Result): Result {
  try {
    return publish();
  } catch (error) {
    if (error instanceof TooManyStreams) {
      throw problem(
        503,
        "too-many-streams",
        "Too many streams",
        `Stream "${name}" cannot be made: ${error.message}.`,
      );
    }
    if (!(error instanceof RingError)) throw error;
    if (error.code === "EMSGSIZE") {
      throw problem(413, "message-too-large", "Message too large", `${error.message}.`);
    }
    if (error.code === "ENOSPC") {
      throw problem(503, "no-memory", "Too little shared memory", `${error.message}.`);
    }
    throw taken(name, error.message);
  }
}

function taken(name: string, owner: string): Problem {
  return problem(
    409,
    "not-ours",
    "Another writes this stream",
    `The hub cannot write stream "${name}": ${owner} writes it. Choose another name.`,
  );
}

function tooLarge(capacity: number): never {
  throw problem(
    413,
    "message-too-large",
    "Message too large",
    `This stream's messages have at most ${capacity} bytes: raise its \`payloadCapacity\` under \`messages\` in streamem.yaml.`,
  );
}

function problem(status: ProblemStatus, kind: string, title: string, detail: string): Problem {
  return new Problem({ status, kind, title, detail });
}

function refuseOthers(result: { success: boolean; error?: z.core.$ZodError }): void {
  if (result.success || !result.error) return;
  throw problem(
    400,
    "bad-request",
    "Not allowed",
    z.prettifyError(result.error).replaceAll("\n", " "),
  );
}
