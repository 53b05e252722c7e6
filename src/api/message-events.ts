/** Messages as server-sent events: each with its cursor as id, so that a browser goes on where it was. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { type Batch, type Cursor, cursorText, readMessages } from "../messages/read-messages.ts";
import type { Segment } from "../ring/segment.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import { findStream, reading } from "./find.ts";
import { messageBody } from "./message-bodies.ts";
import { Problem } from "./problem.ts";

/** How often the ring is looked at: two loads by pread. */
const lookMs = 20;
const batchMax = 100;
/** A line now and then tells both ends that the other one is still there. */
const keepAliveMs = 5000;
const reconnectMs = 1000;

export function tellMessages(
  c: Context,
  registry: StreamRegistry,
  name: string,
  after: Cursor | null,
) {
  return streamSSE(c, async (sse) => {
    let cursor = after;
    let gone = false;
    let quietSince = performance.now();
    await sse.write(`retry: ${reconnectMs}\n: connected\n\n`);
    while (!sse.aborted) {
      const batch = nextBatch(registry, name, cursor);
      const events = batch ? eventsOf(batch, cursor) : gone ? [] : [goneEvent(name)];
      gone = batch === null;
      cursor = batch?.cursor ?? cursor;
      for (const event of events) await sse.writeSSE(event);
      if (events.length > 0) quietSince = performance.now();
      else if (performance.now() - quietSince > keepAliveMs) {
        await sse.write(": alive\n\n");
        quietSince = performance.now();
      }
      if (!batch || batch.bodies.length < batchMax) await sse.sleep(lookMs);
    }
  });
}

interface ReadBatch extends Omit<Batch, "messages"> {
  bodies: ReturnType<typeof messageBody>[];
}

/** Null where the stream is not there, or cannot be read now. The text is made before anything is awaited. */
function nextBatch(
  registry: StreamRegistry,
  name: string,
  cursor: Cursor | null,
): ReadBatch | null {
  try {
    return reading(registry, name, () => {
      const { segment } = findStream(registry, name);
      const { messages, ...rest } = readMessages(segment, cursor, batchMax);
      return { ...rest, bodies: messages.map((frame) => messageBody(segment as Segment, frame)) };
    });
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function eventsOf({ bodies, cursor, newGeneration, missed }: ReadBatch, before: Cursor | null) {
  const events = bodies.map((body, i) => ({
    event: "message",
    id: body.cursor,
    data: JSON.stringify({ ...body, missed: i === 0 ? missed.toString() : "0" }),
  }));
  if (!newGeneration) return events;
  const { generation } = cursor;
  const id = cursorText({ generation, sequence: 0n });
  const data = JSON.stringify({ generation, before: before && cursorText(before) });
  return [{ event: "generation", id, data }, ...events];
}

function goneEvent(name: string) {
  return { event: "gone", data: JSON.stringify({ name }) };
}
