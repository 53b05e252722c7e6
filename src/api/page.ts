/** `/`: the page that shows the streams, bundled out of src/web by Bun itself when it is first asked for. */
import { join } from "node:path";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./guard.ts";

const folder = join(import.meta.dir, "../web");

interface PageFile {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer>;
}

/** By path. Names carry a hash of what is in them, so that only `/` is ever asked for again. */
type PageFiles = Map<string, PageFile>;

const forEver = "public, max-age=31536000, immutable";

export function pageRoutes() {
  const app = new OpenAPIHono<ApiEnv>();
  let bundled: Promise<PageFiles> | undefined;

  const served = async (path: string, acceptsGzip: boolean): Promise<Response | null> => {
    bundled ??= bundlePage().catch((error) => {
      bundled = undefined; // a source that is mended is looked at again
      throw error;
    });
    const file = (await bundled).get(path);
    if (!file) return null;
    return new Response(acceptsGzip ? file.gzip : file.bytes, {
      headers: {
        "Content-Type": file.type,
        "Cache-Control": path === "/" ? "no-cache" : forEver,
        Vary: "Accept-Encoding",
        ...(acceptsGzip && { "Content-Encoding": "gzip" }),
      },
    });
  };

  // The docs show it too, by a name that does not change.
  app.get("/page/icon.svg", async (c) =>
    c.body(await Bun.file(join(folder, "icon.svg")).text(), 200, {
      "Content-Type": "image/svg+xml",
      "Cache-Control": "no-cache",
    }),
  );
  for (const path of ["/", "/page/:file"]) {
    app.get(path, async (c) => {
      const acceptsGzip = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
      return (await served(c.req.path, acceptsGzip)) ?? c.notFound();
    });
  }
  return app;
}

/** Takes some tens of milliseconds. Throws an AggregateError of what is wrong in which source. */
export async function bundlePage(): Promise<PageFiles> {
  const { outputs } = await Bun.build({
    entrypoints: [join(folder, "index.html")],
    target: "browser",
    minify: true,
    publicPath: "/page/",
    naming: { chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const files: PageFiles = new Map();
  for (const output of outputs) {
    const name = output.path.replace(/^.*\//, "");
    const bytes = new Uint8Array(await output.arrayBuffer());
    files.set(name.endsWith(".html") ? "/" : `/page/${name}`, {
      type: output.type,
      bytes,
      gzip: Bun.gzipSync(bytes, { level: 9 }),
    });
  }
  return files;
}
