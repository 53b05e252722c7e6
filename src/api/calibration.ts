/** `/api/v1/streams/{name}/calibration`: what its sensor says about a stream's geometry, tables as NumPy files. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Calibration } from "../../sensors/sensor.ts";
import { npyHeader } from "../pictures/npy.ts";
import type { Parts } from "./app.ts";
import { sensorOf } from "./bodies.ts";
import { conditional, hasAlready, notModified, revalidate } from "./conditional.ts";
import { findStream } from "./find.ts";
import type { ApiEnv } from "./guard.ts";
import { jsonObject } from "./json.ts";
import { Problem, problems } from "./problem.ts";
import { nameParameter } from "./streams.ts";

type Table = Calibration["tables"][string];

const calibrationSchema = z
  .looseObject({
    stream: z.string(),
    sensor: z.string().nullable(),
    tables: z
      .record(
        z.string(),
        z.object({ dtype: z.string(), shape: z.array(z.int()), href: z.string() }),
      )
      .openapi({ description: "Each is a NumPy file at its `href`" }),
  })
  .openapi("Calibration");

const unchanged = { 304: { description: "What If-None-Match names is what there is" } };

const document = createRoute({
  method: "get",
  path: "/api/v1/streams/{name}/calibration",
  tags: ["streams"],
  summary: "A stream's calibration: intrinsics, extrinsics, conventions, and where its tables are",
  request: { params: nameParameter },
  responses: {
    200: {
      description: "As its sensor has told it last, what it holds depends on the sensor",
      content: { "application/json": { schema: calibrationSchema } },
    },
    ...problems({ 404: "Unknown stream, or one without a calibration" }),
  },
});

const tableRoute = createRoute({
  method: "get",
  path: "/api/v1/streams/{name}/calibration/{table}.npy",
  tags: ["streams"],
  summary: "A table of the calibration as a NumPy file",
  request: {
    params: nameParameter.extend({
      table: z.string().openapi({ param: { name: "table", in: "path" }, example: "undistort" }),
    }),
    headers: conditional,
  },
  responses: {
    200: {
      description: "The table",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...unchanged,
    ...problems({ 404: "Unknown stream, or no such table" }),
  },
});

export function calibrationRoutes({ registry, supervisor }: Parts) {
  const app = new OpenAPIHono<ApiEnv>();
  app.openapi(document, (c) => {
    const { name } = c.req.valid("param");
    const calibration = known(name);
    const own = { stream: name, sensor: sensorOf(name, supervisor) };
    const tables = Object.fromEntries(
      Object.entries(calibration.tables).map(([table, { dtype, shape }]) => [
        table,
        { dtype, shape, href: `/api/v1/streams/${name}/calibration/${table}.npy` },
      ]),
    );
    const body = { ...own, ...jsonObject(calibration.document), ...own, tables };
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });

  // A router's parameter goes up to the next slash: the description has the table's name alone.
  app.openAPIRegistry.registerPath(tableRoute);
  app.get("/api/v1/streams/:name/calibration/:file{.+\\.npy}", (c) => {
    const name = c.req.param("name");
    const file = c.req.param("file");
    const table = tableOf(name, known(name), file.slice(0, -".npy".length));
    const etag = etagOf(table);
    if (hasAlready(c, etag)) return notModified(c, etag);
    return c.body(Buffer.concat([npyHeader(table.dtype, table.shape), table.data]), 200, {
      ETag: etag,
      "Cache-Control": revalidate,
      "Content-Type": "application/octet-stream",
      "Content-Disposition": `inline; filename="${name}-${file}"`,
    });
  });
  return app;

  /** Also where the ring is not there now: the device's geometry stays what it is. */
  function known(name: string): Calibration {
    const calibration = supervisor.calibration(name);
    if (calibration) return calibration;
    findStream(registry, name);
    throw new Problem({
      status: 404,
      kind: "no-calibration",
      title: "No calibration",
      detail: `Stream "${name}" has no calibration: its sensor has told none, so far.`,
    });
  }
}

function tableOf(stream: string, { tables }: Calibration, name: string): Table {
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (table) return table;
  const names = Object.keys(tables);
  throw new Problem({
    status: 404,
    kind: "unknown-table",
    title: "Unknown table",
    detail: `The calibration of stream "${stream}" has no table "${name}"; there are ${names.join(", ") || "none"}.`,
    members: { tables: names },
  });
}

const etags = new WeakMap<Table, string>();

/** Of the content: a sensor that was started again tells the same once more. */
function etagOf(table: Table): string {
  const made = etags.get(table);
  if (made) return made;
  const hasher = new Bun.CryptoHasher("sha256");
  hasher.update(npyHeader(table.dtype, table.shape)).update(table.data);
  const etag = `"${hasher.digest("hex").slice(0, 32)}"`;
  etags.set(table, etag);
  return etag;
}
