/** `/api/v1/ndi/sources`: what `streamem ndi ls` finds, in a process of its own, since libndi is not ours. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { ApiEnv } from "./guard.ts";
import { Problem, problems } from "./problem.ts";

const main = new URL("../main.ts", import.meta.url).pathname;

const leastWaitMs = 100;
const mostWaitMs = 10_000;
const usualWaitMs = 2000;
/** Only so that a libndi that hangs is ended. */
const startLimitMs = 20_000;

const query = z.object({
  waitMs: z.coerce
    .number()
    .int()
    .min(leastWaitMs)
    .max(mostWaitMs)
    .default(usualWaitMs)
    .openapi({ description: "How long to listen; a search that goes on already is joined" }),
});

const foundSchema = z
  .object({
    sources: z.array(
      z.object({
        name: z.string().openapi({ example: "MEVO-24V3K (Mevo-24V3K)" }),
        address: z.string().openapi({ description: "host:port", example: "192.168.1.50:5961" }),
      }),
    ),
    library: z
      .object({ version: z.string(), path: z.string() })
      .nullable()
      .openapi({ description: "The libndi that looked; null: there is none, only mDNS was heard" }),
    problems: z.array(z.string()).openapi({
      description: "Why more may be there than is listed, with what to do",
    }),
  })
  .openapi("NdiSources");

type Found = z.infer<typeof foundSchema>;

const route = createRoute({
  method: "get",
  path: "/api/v1/ndi/sources",
  tags: ["ndi"],
  summary: "NDI sources on the network",
  description:
    "Looks anew each time, in the groups and at the hosts that the configuration's NDI sensors name.",
  request: { query },
  responses: {
    200: { description: "By name", content: { "application/json": { schema: foundSchema } } },
    ...problems({ 400: "waitMs is out of range", 503: "The search failed" }),
  },
});

/** @param configFile what the hub was started with; null: there is none */
export function ndiRoutes({ configFile }: { configFile?: string | null }) {
  // One process at a time, however many ask.
  let going: Promise<Found> | null = null;
  const search = (waitMs: number) => {
    going ??= found(waitMs, configFile ?? null).finally(() => {
      going = null;
    });
    return going;
  };
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseOthers });
  return app.openapi(route, async (c) =>
    c.json(await search(c.req.valid("query").waitMs), 200, { "Cache-Control": "no-store" }),
  );
}

function refuseOthers(result: { success: boolean }): void {
  if (result.success) return;
  throw new Problem({
    status: 400,
    kind: "wait-not-allowed",
    title: "waitMs is not allowed",
    detail: `waitMs is a whole number of milliseconds from ${leastWaitMs} to ${mostWaitMs}, ${usualWaitMs} where it is left out.`,
  });
}

async function found(waitMs: number, configFile: string | null): Promise<Found> {
  const config = configFile === null ? [] : ["--config", configFile];
  const words = ["ndi", "ls", "--json", "--wait-s", String(waitMs / 1000), ...config];
  const child = Bun.spawn([process.execPath, main, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: waitMs + startLimitMs,
    killSignal: "SIGKILL",
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) === 0) return JSON.parse(output);
  throw new Problem({
    status: 503,
    kind: "ndi-search-failed",
    title: "The search for NDI sources failed",
    detail: `The search ended with ${child.signalCode ?? `exit code ${child.exitCode}`}: ${errors.trim().slice(-500) || "it said nothing"}`,
  });
}
