/** `/healthz`: answers as long as the hub does. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import manifest from "../../package.json";
import type { ApiEnv } from "./guard.ts";

const healthSchema = z
  .object({ status: z.literal("ok"), version: z.string(), uptimeSeconds: z.number() })
  .openapi("Health");

const route = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["hub"],
  summary: "Liveness",
  responses: {
    200: {
      description: "The hub answers; what its sensors do stands in /api/v1/sensors",
      content: { "application/json": { schema: healthSchema } },
    },
  },
});

export function healthRoutes() {
  return new OpenAPIHono<ApiEnv>().openapi(route, (c) => {
    const body = {
      status: "ok" as const,
      version: manifest.version,
      uptimeSeconds: process.uptime(),
    };
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });
}
