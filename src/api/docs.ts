/** `/openapi.json`, and `/docs` that shows it without a network. */
import { OpenAPIHono } from "@hono/zod-openapi";
import manifest from "../../package.json";
import type { App } from "./app.ts";
import type { ApiEnv } from "./guard.ts";

const files = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
} as const;

/** Swagger UI sets styles from scripts and shows its icons from data: URLs. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>streamem API</title>
<link rel="icon" href="/page/icon.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

// validatorUrl: Swagger UI would send the description to a server of its maker.
const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", validatorUrl: null, defaultModelsExpandDepth: 0 });
`;

export function docsRoutes(described: App) {
  const app = new OpenAPIHono<ApiEnv>();
  app.get("/openapi.json", (c) =>
    c.json(
      described.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "streamem",
          version: manifest.version,
          license: { name: manifest.license },
          description: `${manifest.description} 64-bit integers are decimal text, unknown is null, errors are application/problem+json.`,
        },
      }),
    ),
  );
  app.get("/docs", (c) => c.html(page, 200, { "Content-Security-Policy": contentSecurityPolicy }));
  app.get("/docs/start.js", (c) => c.body(start, 200, { "Content-Type": "text/javascript" }));
  for (const [file, type] of Object.entries(files)) {
    const path = Bun.resolveSync(`swagger-ui-dist/${file}`, import.meta.dir);
    app.get(`/docs/${file}`, async (c) =>
      c.body(await Bun.file(path).arrayBuffer(), 200, {
        "Content-Type": type,
        "Cache-Control": "max-age=3600",
      }),
    );
  }
  return app;
}
