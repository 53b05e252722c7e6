/** `/api/v1/streams`: every stream of the machine. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Parts } from "./app.ts";
import { streamBody } from "./bodies.ts";
import { findStream, reading } from "./find.ts";
import type { ApiEnv } from "./guard.ts";
import { Problem, problems } from "./problem.ts";
import { type StreamBody, streamListSchema, streamSchema } from "./schemas.ts";

export const nameParameter = z.object({
  name: z.string().openapi({ param: { name: "name", in: "path" }, example: "rand-camera" }),
});

const list = createRoute({
  method: "get",
  path: "/api/v1/streams",
  tags: ["streams"],
  summary: "All streams: descriptor, state, rate, age",
  responses: {
    200: {
      description: "The hub's own and those of other programs, by name",
      content: { "application/json": { schema: streamListSchema } },
    },
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/streams/{name}",
  tags: ["streams"],
  summary: "One stream",
  request: { params: nameParameter },
  responses: {
    200: { description: "The stream", content: { "application/json": { schema: streamSchema } } },
    ...problems({ 404: "Unknown stream", 503: "Its ring cannot be read" }),
  },
});

export function streamRoutes({ registry, supervisor }: Parts) {
  const app = new OpenAPIHono<ApiEnv>();
  app.openapi(list, (c) => {
    const names = registry.list().map(({ name }) => name);
    const streams = names.flatMap((name) => listed(name));
    return c.json({ streams }, 200, { "Cache-Control": "no-store" });
  });
  app.openapi(one, (c) => {
    const { name } = c.req.valid("param");
    const body = reading(registry, name, () => streamBody(findStream(registry, name), supervisor));
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });
  return app;

  /** Nothing where the ring went or was cut short since the last scan. */
  function listed(name: string): StreamBody[] {
    try {
      const stream = registry.get(name);
      return stream ? [reading(registry, name, () => streamBody(stream, supervisor))] : [];
    } catch (error) {
      if (error instanceof Problem) return [];
      throw error;
    }
  }
}
