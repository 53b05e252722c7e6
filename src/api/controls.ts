/** `/api/v1/sensors/{name}/controls`: settings of a device, read and changed while it runs. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { ControlError, type Controls } from "../../sensors/sensor.ts";
import type { Parts } from "./app.ts";
import type { ApiEnv } from "./guard.ts";
import { jsonObject } from "./json.ts";
import { Problem, problems } from "./problem.ts";
import { knownSensor } from "./sensors.ts";
import { nameParameter } from "./streams.ts";

const bodyBytesMax = 64 << 10;

const valuesSchema = z.record(z.string(), z.unknown());
const controlsSchema = z
  .object({
    schema: valuesSchema.openapi({ description: "JSON Schema of what may be set" }),
    values: valuesSchema.openapi({
      description: "As the device says, or as they were set last; 64-bit integers as text",
    }),
  })
  .openapi("Controls");

const controls = {
  200: {
    description: "What may be set, and what is",
    content: { "application/json": { schema: controlsSchema } },
  },
};
const failures = {
  404: "Unknown sensor, or one without controls",
  503: "It does not run, or the device does not answer or refuses now",
} as const;

const path = "/api/v1/sensors/{name}/controls";

const show = createRoute({
  method: "get",
  path,
  tags: ["sensors"],
  summary: "The controls of a sensor's device: what may be set, and what is",
  request: { params: nameParameter },
  responses: { ...controls, ...problems(failures) },
});

const change = createRoute({
  method: "post",
  path,
  tags: ["sensors"],
  summary: "Set those that are named; answers the state afterwards",
  request: {
    params: nameParameter,
    body: { required: true, content: { "application/json": { schema: valuesSchema } } },
  },
  responses: {
    ...controls,
    ...problems({
      ...failures,
      400: "Not a JSON object",
      413: "Too large",
      415: "Not application/json",
      422: "A value that is not allowed; nothing was set",
    }),
  },
});

export function controlsRoutes({ supervisor }: Parts) {
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseOthers });
  app.use(
    "/api/v1/sensors/:name/controls",
    bodyLimit({ maxSize: bodyBytesMax, onError: tooLarge }),
  );
  app.openapi(show, async (c) => {
    const { name } = c.req.valid("param");
    const body = await asked(name, async ({ schema, get }) => ({ schema, values: await get() }));
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });
  app.openapi(change, async (c) => {
    const { name } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const body = await asked(name, async ({ schema, set }) => ({
      schema,
      values: await set(wanted),
    }));
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });
  return app;

  async function asked(
    name: string,
    ask: (controls: Controls) => Promise<{ schema: object; values: Record<string, unknown> }>,
  ) {
    knownSensor(supervisor, name);
    try {
      const found = supervisor.controls(name);
      if (!found) throw noControls(name);
      const { schema, values } = await ask(found);
      return { schema: schema as Record<string, unknown>, values: jsonObject(values) };
    } catch (error) {
      throw error instanceof ControlError ? problemOf(error) : error;
    }
  }
}

function problemOf({ reason, message }: ControlError): Problem {
  if (reason === "not-allowed") {
    return new Problem({
      status: 422,
      kind: "control-not-allowed",
      title: "Not allowed",
      detail: message,
    });
  }
  return new Problem({
    status: 503,
    kind: "controls-unavailable",
    title: "No answer from the controls",
    detail: message,
    headers: { "Retry-After": "1" },
  });
}

function noControls(name: string): Problem {
  return new Problem({
    status: 404,
    kind: "no-controls",
    title: "No controls",
    detail: `Sensor "${name}" has no controls: its kind offers nothing that can be set while it runs.`,
  });
}

function refuseOthers(result: { success: boolean }): void {
  if (result.success) return;
  throw new Problem({
    status: 400,
    kind: "not-an-object",
    title: "Not a JSON object",
    detail: 'The body is a JSON object of the controls to set, for instance {"exposure": "auto"}.',
  });
}

function tooLarge(): never {
  throw new Problem({
    status: 413,
    kind: "body-too-large",
    title: "Too large",
    detail: `The body may have at most ${bodyBytesMax} B.`,
  });
}
