/** To see these fail: leave a route's `summary` out, answer what its schema does not say, or take an asset from a CDN. */
import { afterAll, describe, expect, test } from "bun:test";
import { TestApi } from "./api.ts";
import { camera, TestRings } from "./rings.ts";

interface Operation {
  summary?: string;
  tags?: string[];
  responses: Record<string, { content?: Record<string, unknown>; description: string }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

const rings = new TestRings("api-docs");
const api = new TestApi(rings);
afterAll(() => api.close());

const described = () => api.json<Document>("/openapi.json");

describe("openapi.json", () => {
  test("describes every path of the API", async () => {
    const { openapi, paths } = await described();
    expect(openapi).toBe("3.1.0");
    const stream = "/api/v1/streams/{name}";
    const sensor = "/api/v1/sensors/{name}";
    expect(Object.keys(paths).sort()).toEqual(
      [
        "/api/v1/streams",
        stream,
        ...["", ".bin", ".npy", ".jpg", ".png"].map((extension) => `${stream}/latest${extension}`),
        `${stream}/live`,
        `${stream}/messages`,
        `${stream}/calibration`,
        `${stream}/calibration/{table}.npy`,
        "/api/v1/layout",
        "/api/v1/sensors",
        sensor,
        ...["start", "stop", "restart", "controls", "log"].map((action) => `${sensor}/${action}`),
        "/api/v1/sinks",
        "/api/v1/sinks/{name}",
        "/api/v1/ndi/sources",
        "/api/v1/events",
        "/healthz",
        "/metrics",
      ].sort(),
    );
  });

  test("with words, a schema for each 200 and problems for each error", async () => {
    for (const methods of Object.values((await described()).paths)) {
      for (const { summary, tags, responses } of Object.values(methods)) {
        expect(summary).toBeString();
        expect(tags).toHaveLength(1);
        if (!responses[101]) expect((responses[200] ?? responses[201])?.content).toBeDefined();
        for (const [status, { content }] of Object.entries(responses)) {
          if (Number(status) < 400) continue;
          expect(Object.keys(content ?? {})).toEqual(["application/problem+json"]);
        }
      }
    }
  });

  test("with references that lead somewhere", async () => {
    const document = await described();
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(names.length).toBeGreaterThan(5);
    for (const [, name = ""] of names) expect(document.components.schemas[name]).toBeDefined();
  });
});

describe("docs", () => {
  test("need nothing from elsewhere", async () => {
    const page = await (await api.fetch("/docs")).text();
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).toStartWith("/");
      expect((await api.fetch(asset)).status).toBe(200);
    }
  });
});

describe("metrics", () => {
  test("of streams, in Prometheus' words", async () => {
    const writer = rings.writer("cam", camera);
    writer.publish(new Uint8Array(72));
    writer.publish(new Uint8Array(72));
    api.registry.scan();
    const response = await api.fetch("/metrics");
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const lines = (await response.text()).split("\n");
    expect(lines).toContain('streamem_stream_frames_total{stream="cam"} 2');
    expect(lines).toContain('streamem_stream_generations_total{stream="cam"} 1');
    expect(lines).toContain('streamem_stream_state{stream="cam",state="live"} 1');
    expect(lines).toContain('streamem_stream_state{stream="cam",state="dead"} 0');
    for (const line of lines.filter((line) => line && !line.startsWith("#"))) {
      expect(line).toMatch(/^[a-z_]+(\{[^}]*\})? [0-9.e+-]+$/);
    }
  });

  test("of streams that are gone, no more", async () => {
    const writer = rings.writer("short", camera);
    api.registry.scan();
    expect(await (await api.fetch("/metrics")).text()).toContain('stream="short"');
    writer.close();
    api.registry.scan();
    expect(await (await api.fetch("/metrics")).text()).not.toContain('stream="short"');
  });
});
