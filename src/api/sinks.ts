/** `/api/v1/sinks`: where messages are sent on to, and how that goes. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { ConfiguredSink } from "../config/config.ts";
import { redact } from "../log/redact.ts";
import type { SensorStatus } from "../supervisor/sensor-status.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { Parts } from "./app.ts";
import type { ApiEnv } from "./guard.ts";
import { Problem, problems } from "./problem.ts";
import { type SinkBody, sinkListSchema, sinkSchema } from "./schemas.ts";
import { nameParameter } from "./streams.ts";

/** A sink with what is known of its process. */
export type SinkStatus = SensorStatus & Pick<ConfiguredSink, "config">;

/** Of the processes, and what was configured. */
export function sinkParts(configured: ConfiguredSink[], supervisor: Supervisor) {
  return (): SinkStatus[] =>
    configured.flatMap(({ name, config }) => {
      const status = supervisor.get(name);
      return status ? [{ ...status, config }] : [];
    });
}

const list = createRoute({
  method: "get",
  path: "/api/v1/sinks",
  tags: ["sinks"],
  summary: "All sinks: where messages are sent on to, state, what was sent and dropped",
  responses: {
    200: {
      description: "As configured",
      content: { "application/json": { schema: sinkListSchema } },
    },
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/sinks/{name}",
  tags: ["sinks"],
  summary: "One sink",
  request: { params: nameParameter },
  responses: {
    200: { description: "The sink", content: { "application/json": { schema: sinkSchema } } },
    ...problems({ 404: "Unknown sink" }),
  },
});

const fresh = { "Cache-Control": "no-store" };

export function sinkRoutes({ sinks }: Parts) {
  const app = new OpenAPIHono<ApiEnv>();
  app.openapi(list, (c) => c.json({ sinks: sinks().map(sinkBody) }, 200, fresh));
  app.openapi(one, (c) => {
    const { name } = c.req.valid("param");
    const found = sinks().find((sink) => sink.name === name);
    if (found) return c.json(sinkBody(found), 200, fresh);
    const names = sinks().map((sink) => sink.name);
    throw new Problem({
      status: 404,
      kind: "unknown-sink",
      title: "Unknown sink",
      detail: `There is no sink "${name}"; configured are ${names.join(", ") || "none"}.`,
      members: { sinks: names },
    });
  });
  return app;
}

function sinkBody({ config, clock: _, parts: __, ...status }: SinkStatus): SinkBody {
  return { ...status, streams: config.streams, url: redact(config.url) };
}
