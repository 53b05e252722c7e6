/** The hub over HTTP: one app without a port, so that tests call it by `app.request`. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { MessageStreams } from "../messages/message-streams.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { calibrationRoutes } from "./calibration.ts";
import { controlsRoutes } from "./controls.ts";
import { docsRoutes } from "./docs.ts";
import { eventRoutes } from "./events.ts";
import { type ApiEnv, headers, jsonOnly, knownHostOnly } from "./guard.ts";
import { healthRoutes } from "./health.ts";
import { latestRoutes } from "./latest.ts";
import { layoutRoutes } from "./layout.ts";
import { createLives, liveRoutes } from "./live.ts";
import { messageRoutes } from "./messages.ts";
import { metricsRoutes } from "./metrics.ts";
import { ndiRoutes } from "./ndi.ts";
import { pageRoutes } from "./page.ts";
import { Problem, problemResponse } from "./problem.ts";
import { sensorRoutes } from "./sensors.ts";
import { type SinkStatus, sinkRoutes } from "./sinks.ts";
import { streamRoutes } from "./streams.ts";

export interface Parts {
  registry: StreamRegistry;
  supervisor: Supervisor;
  messages: MessageStreams;
  sinks: () => SinkStatus[];
  /** What the hub was started with, for those who look things up in it; null: nothing. */
  configFile?: string | null;
}

export type App = OpenAPIHono<ApiEnv>;

/** Give `{ server }` as the second argument of `fetch`: its address is what Host and Origin may name. */
export function createApp(parts: Parts): App {
  const app: App = new OpenAPIHono<ApiEnv>();
  app.onError((error, c) => problemResponse(c, error));
  app.notFound((c) => problemResponse(c, unknownPath(c.req.path)));
  app.use(headers(), knownHostOnly(), notAllowed(app), jsonOnly());
  const lives = createLives(parts);
  const groups = [
    streamRoutes(parts),
    latestRoutes(parts),
    calibrationRoutes(parts),
    liveRoutes(parts, lives),
    messageRoutes(parts),
    layoutRoutes(),
    sensorRoutes(parts),
    controlsRoutes(parts),
    sinkRoutes(parts),
    eventRoutes(parts),
    healthRoutes(),
    metricsRoutes(parts, lives),
    ndiRoutes(parts),
    pageRoutes(),
  ];
  for (const group of groups) app.route("/", group);
  app.route("/", docsRoutes(app));
  return app;
}

function notAllowed(app: App) {
  return methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      problemResponse(
        c,
        new Problem({
          status: 405,
          kind: "method-not-allowed",
          title: "Method not allowed",
          detail: `${c.req.path} does not take ${c.req.method}; allowed are ${methods.join(", ")}.`,
          headers: { Allow: methods.join(", ") },
        }),
      ),
  });
}

function unknownPath(path: string): Problem {
  return new Problem({
    status: 404,
    kind: "unknown-path",
    title: "Unknown path",
    detail: `There is nothing at ${path}; /docs lists what there is.`,
  });
}
