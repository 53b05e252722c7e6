/** `/api/v1/events`: what changes, as server-sent events. A browser's EventSource reconnects by itself. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { logFor } from "../log/log.ts";
import type { StreamEvent } from "../streams/streams.ts";
import type { Parts } from "./app.ts";
import { sensorBody, streamBody } from "./bodies.ts";
import type { ApiEnv } from "./guard.ts";

const route = createRoute({
  method: "get",
  path: "/api/v1/events",
  tags: ["events"],
  summary: "Streams added, changed and gone; sensors that changed their state",
  description:
    "Events `stream-added` and `stream-changed` carry the stream, `stream-gone` its name, `sensor` the sensor. What was before the connection is not told: ask for the lists once it is open.",
  responses: {
    200: {
      description: "A stream without an end",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
});

interface Message {
  event: string;
  data: string;
}

/** A client that is this far behind does not read: it is cut off, and starts anew when it wants. */
const queueMax = 256;
/** A line now and then tells both ends that the other one is still there. */
const keepAliveMs = 5000;
const reconnectMs = 1000;

export function eventRoutes(parts: Parts) {
  return new OpenAPIHono<ApiEnv>().openapi(route, (c) =>
    streamSSE(c, (sse) => tellEvents(sse, parts)),
  );
}

async function tellEvents(sse: SSEStreamingApi, parts: Parts): Promise<void> {
  const queue: Message[] = [];
  let wake = () => {};
  const push = (message: Message | null) => {
    if (message) queue.push(message);
    wake();
  };
  const unsubscribe = [
    parts.registry.subscribe((event) => push(streamMessage(event, parts))),
    parts.supervisor.subscribe((status) =>
      push({ event: "sensor", data: JSON.stringify(sensorBody(status)) }),
    ),
  ];
  sse.onAbort(() => wake());
  const alive = setInterval(() => sse.write(": alive\n\n"), keepAliveMs);
  try {
    await sse.write(`retry: ${reconnectMs}\n: connected\n\n`);
    while (!sse.aborted && queue.length <= queueMax) {
      const message = queue.shift();
      if (message) await sse.writeSSE(message);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    clearInterval(alive);
    for (const end of unsubscribe) end();
  }
}

function streamMessage({ type, stream }: StreamEvent, { supervisor }: Parts): Message | null {
  const event = `stream-${type}`;
  if (type === "gone") return { event, data: JSON.stringify({ name: stream.name }) };
  try {
    return { event, data: JSON.stringify(streamBody(stream, supervisor)) };
  } catch (error) {
    // Cut short in this very moment: the next scan says that it is gone.
    logFor("api").debug(`no event for ${stream.name}: ${(error as Error).message}`);
    return null;
  }
}
