/**
 * To see these fail: in src/api/app.ts leave out knownHostOnly, jsonOnly, notAllowed or headers;
 * in src/api/guard.ts drop the port from `withPort`, or compare only the start of an Origin.
 */
import { afterAll, describe, expect, spyOn, test } from "bun:test";
import * as os from "node:os";
import { TestApi } from "./api.ts";
import { TestRings } from "./rings.ts";

const api = new TestApi(new TestRings("api-app"));
afterAll(() => api.close());

const path = "/api/v1/streams";
const json = { "Content-Type": "application/json" };

describe("Host", () => {
  test.each(["127.0.0.1:7766", "localhost:7766", "LOCALHOST:7766", "[::1]:7766"])(
    "%s is this machine",
    async (host) => {
      expect((await api.fetch(path, { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    "evil.example:7766",
    "evil.example",
    "localhost",
    "localhost:80",
    "localhost:77660",
    "localhost.evil.example:7766",
    "127.0.0.1.evil.example:7766",
    "192.168.1.7:7766",
    "",
  ])("%p is refused, and told what is allowed", async (host) => {
    const { detail, allowed } = (await api.problem(path, 403, { headers: { host } })) as {
      detail: string;
      allowed?: string[];
    };
    expect(detail).toContain("localhost:7766");
    expect(allowed).toEqual(["localhost:7766", "127.0.0.1:7766", "[::1]:7766"]);
  });

  test("the page, the docs and unknown paths are guarded too", async () => {
    for (const guarded of ["/", "/docs", "/openapi.json", "/metrics", "/healthz", "/nothing"]) {
      await api.problem(guarded, 403, { headers: { host: "evil.example:7766" } });
    }
  });

  test("the configured host is allowed besides the machine's own names", async () => {
    const server = { hostname: "hub.lab", port: 80 };
    const status = async (host: string) =>
      (await api.app.request(`http://${host}${path}`, { headers: { host } }, { server })).status;
    expect(await status("hub.lab:80")).toBe(200);
    expect(await status("hub.lab")).toBe(200);
    expect(await status("localhost")).toBe(200);
    expect(await status("other.lab")).toBe(403);
  });

  test("a hub on every address takes each address of the machine, and no name", async () => {
    const lan = { address: "192.168.1.7" } as os.NetworkInterfaceInfo;
    const six = { address: "fd00::7" } as os.NetworkInterfaceInfo;
    const spied = spyOn(os, "networkInterfaces").mockReturnValue({ lan: [lan, six] });
    const server = { hostname: "0.0.0.0", port: 7766 };
    const status = async (host: string) =>
      (await api.app.request(`http://x${path}`, { headers: { host } }, { server })).status;
    expect(await status("192.168.1.7:7766")).toBe(200);
    expect(await status("[fd00::7]:7766")).toBe(200);
    expect(await status("localhost:7766")).toBe(200);
    expect(await status("192.168.1.8:7766")).toBe(403);
    expect(await status("evil.example:7766")).toBe(403);
    spied.mockRestore();
  });
});

describe("Origin", () => {
  test.each(["http://127.0.0.1:7766", "http://localhost:7766"])("%s is ours", async (origin) => {
    const response = await api.fetch(path, { headers: { origin } });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test.each([
    "http://evil.example",
    "https://localhost:7766",
    "http://localhost:3000",
    "http://localhost:7766.evil.example",
    "null",
  ])("%s is refused", async (origin) => {
    expect((await api.problem(path, 403, { headers: { origin } })).title).toBe("Foreign Origin");
  });

  test("a preflight gets no permission", async () => {
    const headers = { origin: "http://evil.example", "access-control-request-method": "POST" };
    const { response } = await api.problem(path, 403, { method: "OPTIONS", headers });
    expect([...response.headers.keys()].filter((name) => name.includes("allow-origin"))).toEqual(
      [],
    );
  });
});

describe("POST", () => {
  const start = "/api/v1/sensors/nobody/start";

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])(
    "as %p is refused",
    async (type) => {
      const headers = { "Content-Type": type };
      const { detail } = await api.problem(start, 415, { method: "POST", headers, body: "{}" });
      expect(detail).toContain("application/json");
    },
  );

  test("as JSON reaches its route", async () => {
    await api.problem(start, 404, { method: "POST", headers: json, body: "{}" });
    const headers = { "Content-Type": "Application/JSON; charset=utf-8" };
    await api.problem(start, 404, { method: "POST", headers });
  });
});

describe("paths and methods", () => {
  test("an unknown path says where to look", async () => {
    expect((await api.problem("/api/v2/streams", 404)).detail).toContain("/docs");
  });

  test.each([
    ["DELETE", path, "GET, HEAD"],
    ["GET", "/api/v1/sensors/a/start", "POST"],
  ])("%s %s says what is allowed", async (method, where, allowed) => {
    const { response, detail } = await api.problem(where, 405, { method });
    expect(response.headers.get("allow")).toBe(allowed);
    expect(detail).toContain(allowed);
  });

  test("HEAD gives the head alone", async () => {
    const response = await api.fetch("/healthz", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

test.each([path, "/", "/docs", "/docs/swagger-ui.css", "/nothing", "/metrics"])(
  "%s has headers that let nothing foreign in or out",
  async (where) => {
    const { headers } = await api.fetch(where);
    const policy = headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("http");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
  },
);

test("healthz", async () => {
  expect(await api.json("/healthz")).toMatchObject({ status: "ok", version: "0.1.0" });
});

test("the layout is the specification itself", async () => {
  const file = await Bun.file(new URL("../native/layout.json", import.meta.url)).json();
  expect(await api.json("/api/v1/layout")).toEqual(file);
});
