/** `/api/v1/layout`: the bytes of a ring, for those who write a reader. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import layout from "../../native/layout.json";
import type { ApiEnv } from "./guard.ts";

const fieldSchema = z.object({
  name: z.string(),
  offset: z.int(),
  size: z.int(),
  type: z.string(),
  meaning: z.string(),
});

const layoutSchema = z
  .object({
    magic: z.string(),
    major: z.int(),
    minor: z.int(),
    byteOrder: z.string(),
    constants: z.record(
      z.string(),
      z.object({ value: z.union([z.int(), z.string()]), meaning: z.string() }),
    ),
    segmentHeader: z.array(fieldSchema),
    slotHeader: z.array(fieldSchema),
  })
  .openapi("Layout");

const route = createRoute({
  method: "get",
  path: "/api/v1/layout",
  tags: ["layout"],
  summary: "Every field of segment header and slot header",
  responses: {
    200: {
      description: "native/layout.json",
      content: { "application/json": { schema: layoutSchema } },
    },
  },
});

export function layoutRoutes() {
  return new OpenAPIHono<ApiEnv>().openapi(route, (c) => c.json(layout, 200));
}
