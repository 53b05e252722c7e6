/** `/api/v1/sensors`: the hub's sensor processes, to look at, start and stop. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { logLinesMax } from "../supervisor/log-tail.ts";
import type { SensorStatus } from "../supervisor/sensor-status.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { Parts } from "./app.ts";
import { sensorBody } from "./bodies.ts";
import type { ApiEnv } from "./guard.ts";
import { Problem, problems } from "./problem.ts";
import { sensorListSchema, sensorLogSchema, sensorSchema } from "./schemas.ts";
import { nameParameter } from "./streams.ts";

const sensor = {
  200: { description: "The sensor", content: { "application/json": { schema: sensorSchema } } },
};

const list = createRoute({
  method: "get",
  path: "/api/v1/sensors",
  tags: ["sensors"],
  summary: "All sensors of the hub: state, pid, restarts, clock, last error",
  responses: {
    200: {
      description: "As configured",
      content: { "application/json": { schema: sensorListSchema } },
    },
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/sensors/{name}",
  tags: ["sensors"],
  summary: "One sensor",
  request: { params: nameParameter },
  responses: { ...sensor, ...problems({ 404: "Unknown sensor" }) },
});

const log = createRoute({
  method: "get",
  path: "/api/v1/sensors/{name}/log",
  tags: ["sensors"],
  summary: "What a sensor has said last, oldest first",
  request: { params: nameParameter },
  responses: {
    200: {
      description: `At most ${logLinesMax} lines; passwords in addresses are hidden`,
      content: { "application/json": { schema: sensorLogSchema } },
    },
    ...problems({ 404: "Unknown sensor" }),
  },
});

function actionRoute(action: "start" | "stop" | "restart", summary: string) {
  return createRoute({
    method: "post",
    path: `/api/v1/sensors/{name}/${action}`,
    tags: ["sensors"],
    summary,
    request: {
      params: nameParameter,
      // A body is not needed; saying its type keeps forms of foreign pages out.
      body: { content: { "application/json": { schema: { type: "object" } } } },
    },
    responses: { ...sensor, ...problems({ 404: "Unknown sensor", 415: "Not application/json" }) },
  });
}

const start = actionRoute("start", "Start it; nothing where it runs already");
const stop = actionRoute("stop", "Stop it; answers when its process and rings are gone");
const restart = actionRoute("restart", "Stop it, then start it");

export function sensorRoutes({ supervisor }: Parts) {
  const app = new OpenAPIHono<ApiEnv>();
  app.openapi(list, (c) => c.json({ sensors: supervisor.list().map(sensorBody) }, 200, fresh));
  app.openapi(one, (c) => {
    const { name } = c.req.valid("param");
    return c.json(sensorBody(knownSensor(supervisor, name)), 200, fresh);
  });
  app.openapi(log, (c) => {
    const { name } = knownSensor(supervisor, c.req.valid("param").name);
    return c.json({ lines: [...supervisor.log(name)] }, 200, fresh);
  });
  for (const [route, action] of [
    [start, "start"],
    [stop, "stop"],
    [restart, "restart"],
  ] as const) {
    app.openapi(route, async (c) => {
      const { name } = knownSensor(supervisor, c.req.valid("param").name);
      return c.json(sensorBody(await supervisor[action](name)), 200, fresh);
    });
  }
  return app;
}

const fresh = { "Cache-Control": "no-store" };

export function knownSensor(supervisor: Supervisor, name: string): SensorStatus {
  const status = supervisor.get(name);
  if (status) return status;
  const names = supervisor.list().map((one) => one.name);
  throw new Problem({
    status: 404,
    kind: "unknown-sensor",
    title: "Unknown sensor",
    detail: `There is no sensor "${name}"; configured are ${names.join(", ") || "none"}.`,
    members: { sensors: names },
  });
}
