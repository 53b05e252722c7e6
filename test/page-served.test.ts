/** The page as it is served: how large, how long to keep, and nothing of it from elsewhere. */
import { expect, test } from "bun:test";
import { OpenAPIHono } from "@hono/zod-openapi";
import { bundlePage, pageRoutes } from "../src/api/page.ts";

const app = new OpenAPIHono().route("/", pageRoutes());
const gzip = { headers: { "Accept-Encoding": "gzip" } };

test("all of it has less than 120 KB, compressed", async () => {
  const files = await bundlePage();
  const total = [...files.values()].reduce((sum, { gzip }) => sum + gzip.length, 0);
  expect(total).toBeLessThan(120_000);
  expect(total).toBeGreaterThan(20_000);
});

test("what the page names is there, compressed for those who take it, and kept for ever by its name", async () => {
  const page = await app.request("/", gzip);
  expect(page.headers.get("cache-control")).toBe("no-cache");
  expect(page.headers.get("content-encoding")).toBe("gzip");
  const html = await (await app.request("/")).text();
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
  const assets = named.filter((path) => path.startsWith("/page/"));
  expect(assets.length).toBe(3);
  for (const path of assets) {
    const plain = await app.request(path);
    expect(plain.status).toBe(200);
    expect(plain.headers.get("cache-control")).toContain("immutable");
    const packed = Buffer.from(await (await app.request(path, gzip)).arrayBuffer());
    expect(Buffer.from(Bun.gunzipSync(packed))).toEqual(Buffer.from(await plain.arrayBuffer()));
  }
  expect(html).not.toMatch(/https?:/);
});

test("another path is not there", async () => {
  expect((await app.request("/page/nothing-12345678.js")).status).toBe(404);
});
