/** Conditional requests: a client that names the ETag it has is not sent the same bytes again. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";

export const conditional = z.object({
  "if-none-match": z.string().optional().openapi({ description: "ETag of what one has already" }),
});

/** Kept by clients, and asked for again each time. */
export const revalidate = "private, no-cache";

export function hasAlready(c: Context, etag: string): boolean {
  const asked = c.req.header("if-none-match");
  if (!asked) return false;
  const tags = asked.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

export function notModified(c: Context, etag: string) {
  return c.body(null, 304, { ETag: etag, "Cache-Control": revalidate });
}
