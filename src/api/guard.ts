/**
 * Who may call. The API has no passwords, so a web page of somebody else must not reach it through the
 * user's browser: not by its own address (Origin), and not by a name that it points here (Host).
 */
import { networkInterfaces } from "node:os";
import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Viewer } from "../live/viewer.ts";
import { Problem } from "./problem.ts";

/** What of Bun's server the API asks for. */
export interface ApiEnv {
  Bindings: {
    server?: {
      hostname?: string | undefined;
      port?: number | undefined;
      /** Makes the request a WebSocket that carries `data`; false where it asks for none. */
      upgrade?(request: Request, options: { data: Viewer }): boolean;
    };
  };
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

/** Everything that stands before a route. */
export function headers(): MiddlewareHandler<ApiEnv> {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "blob:", "data:"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    strictTransportSecurity: false, // there is no TLS here
    // A page's own header wins: /docs needs inline styles.
    overwrite: false,
  });
}

export function knownHostOnly(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const allowed = authorities(c.env?.server ?? {});
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!allowed.includes(host.toLowerCase())) throw foreign("Host", host, allowed);
    const origin = c.req.header("origin");
    const origins = allowed.map((authority) => `http://${authority}`);
    if (origin !== undefined && !origins.includes(origin.toLowerCase())) {
      throw foreign("Origin", origin, origins);
    }
    await next();
  };
}

/** A form on a foreign page can send anything but this type without being asked first. */
export function jsonOnly(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (c.req.method === "POST" && type !== "application/json") {
      throw new Problem({
        status: 415,
        kind: "not-json",
        title: "Only JSON is taken",
        detail: `The Content-Type of a POST must be application/json; this one has ${type || "none"}.`,
        headers: { "Accept-Post": "application/json" },
      });
    }
    await next();
  };
}

function foreign(header: string, value: string, allowed: string[]): Problem {
  return new Problem({
    status: 403,
    kind: `foreign-${header.toLowerCase()}`,
    title: `Foreign ${header}`,
    detail: `The ${header} "${value}" is not this hub's; allowed are ${allowed.join(", ")}.`,
    members: { allowed },
  });
}

function authorities({
  hostname = "127.0.0.1",
  port = 7766,
}: NonNullable<ApiEnv["Bindings"]["server"]>) {
  const hosts = new Set([...loopback, ...configured(hostname)]);
  const withPort = [...hosts].map((host) => `${host}:${port}`);
  return port === 80 ? [...withPort, ...hosts] : withPort;
}

/** Where the hub listens on every address, a browser may use any of them; names stay refused. */
function configured(hostname: string): string[] {
  const host = hostname.toLowerCase();
  if (host !== "0.0.0.0" && host !== "::") return [bracketed(host)];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => bracketed(address));
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
