/** `WS /api/v1/streams/{name}/live`: frames as they come, to whoever looks. What is said: live-messages.ts. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { WebSocketHandler } from "bun";
import { Lives } from "../live/lives.ts";
import { requestOf, wishOfQuery } from "../live/requests.ts";
import { Viewer } from "../live/viewer.ts";
import type { Parts } from "./app.ts";
import { streamBody } from "./bodies.ts";
import { findStream, reading } from "./find.ts";
import type { ApiEnv } from "./guard.ts";
import type { LiveMessage } from "./live-messages.ts";
import { Problem, problemBody, problems } from "./problem.ts";
import { nameParameter } from "./streams.ts";

const path = "/api/v1/streams/{name}/live";
const viewersMax = 256;
/** Close code of a connection whose client broke the rules. */
const policyViolation = 1008;

const route = createRoute({
  method: "get",
  path,
  tags: ["frames"],
  summary: "WebSocket: the stream's frames as they come, raw or as small previews",
  description:
    "Messages are msgpack maps, described in src/api/live-messages.ts. The newest frame wins: a client that is slow gets fewer.",
  request: {
    params: nameParameter,
    query: z.object({
      payload: z.enum(["none", "raw", "preview"]).optional(),
      maxWidth: z.string().optional().openapi({ description: "16 to 4096 pixels, default 640" }),
      maxRate: z.string().optional().openapi({ description: "0.1 to 1000 frames/s" }),
      window: z.string().optional().openapi({
        description: "1 to 64 frames are sent before the client says `got`",
      }),
    }),
  },
  responses: {
    101: { description: "The connection is a WebSocket now" },
    ...problems({
      400: "Bad query",
      404: "Unknown stream",
      426: "Not asked for as a WebSocket",
      503: "Too many look already",
    }),
  },
});

export function liveRoutes({ registry }: Parts, lives: Lives) {
  const app = new OpenAPIHono<ApiEnv>();
  app.openAPIRegistry.registerPath(route);
  app.get("/api/v1/streams/:name/live", (c) => {
    const name = c.req.param("name");
    const wish = wishOfQuery(c.req.query());
    findStream(registry, name);
    if (lives.viewers.length >= viewersMax) throw tooMany();
    if (!c.env?.server?.upgrade?.(c.req.raw, { data: new Viewer(name, wish, lives) }))
      throw noUpgrade();
    return new Response(null);
  });
  return app;
}

/** The streams that are looked at. */
export function createLives({ registry, supervisor }: Parts): Lives {
  return new Lives(registry, (name) => tell(name));

  function tell(name: string): LiveMessage | null {
    const stream = registry.get(name);
    if (!stream) return { type: "gone", name };
    try {
      const body = reading(registry, name, () => streamBody(stream, supervisor));
      return { type: "stream", stream: body };
    } catch (error) {
      if (error instanceof Problem) return null; // cut short in this moment: the registry drops it
      throw error;
    }
  }
}

/** What Bun's server does with the connections, whatever stream they look at. */
export const liveSockets: WebSocketHandler<Viewer> = {
  maxPayloadLength: 4096,
  // Never reached: a viewer is given nothing while it has not taken what it was given before.
  backpressureLimit: 1 << 30,
  perMessageDeflate: false,
  open(socket) {
    socket.data.open(socket);
  },
  message(socket, message) {
    try {
      socket.data.take(requestOf(message));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      socket.send(JSON.stringify(problemBody(error, path.replace("{name}", socket.data.stream))));
      socket.close(policyViolation, error.options.title);
    }
  },
  drain(socket) {
    socket.data.drained();
  },
  close(socket) {
    socket.data.close();
  },
};

function noUpgrade(): Problem {
  return new Problem({
    status: 426,
    kind: "not-a-websocket",
    title: "Upgrade required",
    detail:
      "This address is for WebSockets; open it as ws://. The newest frame over plain HTTP is at latest.",
    headers: { Upgrade: "websocket" },
  });
}

function tooMany(): Problem {
  return new Problem({
    status: 503,
    kind: "too-many-viewers",
    title: "Too many viewers",
    detail: `${viewersMax} connections look at streams already; that is the most.`,
    headers: { "Retry-After": "1" },
  });
}
