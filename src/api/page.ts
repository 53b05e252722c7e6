/** `/`: the page that shows the streams. Its scripts are TypeScript as it stands, types taken out. */
import { join } from "node:path";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./guard.ts";

const folder = join(import.meta.dir, "../web");
const html = "text/html; charset=utf-8";

const files: Record<string, { file: string; type: string }> = {
  "/": { file: "index.html", type: html },
  "/page/style.css": { file: "style.css", type: "text/css; charset=utf-8" },
  "/page/icon.svg": { file: "icon.svg", type: "image/svg+xml" },
};

const scripts = ["page.ts", "card.ts", "previews.ts", "decode.ts", "words.ts"];

export function pageRoutes() {
  const app = new OpenAPIHono<ApiEnv>();
  for (const [path, { file, type }] of Object.entries(files)) {
    app.get(path, async (c) => c.body(await text(file), 200, asFile(type)));
  }
  for (const file of scripts) {
    app.get(`/page/${file}`, async (c) =>
      c.body(await script(file), 200, asFile("text/javascript")),
    );
  }
  return app;
}

/** Small and local: asking again each time costs nothing, and an updated hub shows its new page. */
function asFile(type: string) {
  return { "Content-Type": type, "Cache-Control": "no-cache" };
}

function text(file: string): Promise<string> {
  return Bun.file(join(folder, file)).text();
}

const typesOut = new Bun.Transpiler({ loader: "ts", target: "browser" });

async function script(file: string): Promise<string> {
  return typesOut.transformSync(await text(file));
}
