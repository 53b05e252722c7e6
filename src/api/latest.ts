/** `/api/v1/streams/{name}/latest`: the newest frame as numbers, bytes, NumPy file or picture. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { inCOrder, npyHeader } from "../pictures/npy.ts";
import { elementCount, frameBytes, itemSize } from "../ring/descriptor.ts";
import type { Parts } from "./app.ts";
import { frameBody, frameNumbersBody } from "./bodies.ts";
import { conditional, hasAlready, notModified, revalidate } from "./conditional.ts";
import type { ApiEnv } from "./guard.ts";
import {
  type Bytes,
  type Encoded,
  etagOf,
  type NewestFrame,
  newestEtag,
  newestFrame,
  newestHead,
  type PictureFormat,
  Pictures,
} from "./newest.ts";
import { Problem, problems } from "./problem.ts";
import { frameSchema } from "./schemas.ts";
import { nameParameter } from "./streams.ts";

const unchanged = { 304: { description: "The frame named by If-None-Match is still the newest" } };
const failures = {
  404: "Unknown stream, or no frame yet",
  413: "Frame too large for HTTP",
  503: "No whole frame can be read now",
} as const;

const numbers = createRoute({
  method: "get",
  path: "/api/v1/streams/{name}/latest",
  tags: ["frames"],
  summary: "Numbers of the newest frame",
  request: { params: nameParameter, headers: conditional },
  responses: {
    200: { description: "The frame", content: { "application/json": { schema: frameSchema } } },
    ...unchanged,
    ...problems(failures),
  },
});

function bytesRoute(extension: string, type: string, summary: string) {
  return createRoute({
    method: "get",
    path: `/api/v1/streams/{name}/latest.${extension}`,
    tags: ["frames"],
    summary,
    request: { params: nameParameter, headers: conditional },
    responses: {
      200: {
        description: summary,
        headers: z.object({
          "Streamem-Frame": z.string().openapi({
            description: "Its numbers as JSON: those of `latest`, without dtype and fields",
          }),
        }),
        content: { [type]: { schema: z.string().openapi({ format: "binary" }) } },
      },
      ...unchanged,
      ...problems({ ...failures, 406: "The stream's frames are no pictures", 422: "Odd frame" }),
    },
  });
}

const octets = "application/octet-stream";
const bin = bytesRoute("bin", octets, "The newest frame's bytes; shape and dtype in the headers");
const npy = bytesRoute("npy", octets, "The newest frame as a NumPy file, records too");
const pictureTypes = { jpg: "image/jpeg", png: "image/png" } as const;
const jpg = bytesRoute("jpg", pictureTypes.jpg, "The newest frame as JPEG; depth scaled to 8 bits");
const png = bytesRoute("png", pictureTypes.png, "The newest frame without loss");

export function latestRoutes({ registry }: Parts) {
  const app = new OpenAPIHono<ApiEnv>();
  const pictures = new Pictures(registry);

  app.openapi(numbers, (c) => {
    const { name } = c.req.valid("param");
    const { stream, frame } = newestHead(registry, name);
    const etag = etagOf(stream.generation, frame.seq);
    if (hasAlready(c, etag)) return notModified(c, etag);
    return c.json(frameBody(stream, frame), 200, { ETag: etag, "Cache-Control": revalidate });
  });

  app.openapi(bin, (c) => frameResponse(c, "bin", ({ frame }) => frame.payload));
  app.openapi(npy, (c) => frameResponse(c, "npy", npyFile));
  app.openapi(jpg, (c) => pictureResponse(c, "jpg"));
  app.openapi(png, (c) => pictureResponse(c, "png"));
  return app;

  function frameResponse(c: Context, extension: string, bytesOf: (newest: NewestFrame) => Bytes) {
    const name = c.req.param("name") as string;
    const present = newestEtag(registry, name);
    if (hasAlready(c, present)) return notModified(c, present);
    const newest = newestFrame(registry, name);
    const { stream } = newest;
    return c.body(bytesOf(newest), 200, {
      ...headersOf(newest),
      "Content-Type": octets,
      "Content-Disposition": `inline; filename="${name}.${extension}"`,
      "Streamem-Dtype": JSON.stringify(stream.segment.descriptor.dtype),
      "Streamem-Shape": JSON.stringify(shapeOf(newest)),
    });
  }

  async function pictureResponse(c: Context, format: PictureFormat) {
    const name = c.req.param("name") as string;
    const present = newestEtag(registry, name);
    if (hasAlready(c, present)) return notModified(c, present);
    const picture = await pictures.get(name, format);
    return c.body(picture.bytes, 200, {
      ...headersOf(picture),
      "Content-Type": pictureTypes[format],
    });
  }
}

/** Which frame it is, also as numbers: bytes and pictures alone do not tell how old they are. */
function headersOf({ stream, frame }: Pick<Encoded, "stream" | "frame">) {
  return {
    ETag: etagOf(stream.generation, frame.seq),
    "Cache-Control": revalidate,
    "Streamem-Frame": JSON.stringify(frameNumbersBody(stream, frame)),
  };
}

function npyFile(newest: NewestFrame): Bytes {
  const { dtype } = newest.stream.segment.descriptor;
  const shape = shapeOf(newest);
  const data = elements(newest, shape);
  if (!data) throw oddFrame(newest, shape);
  return Buffer.concat([npyHeader(dtype, shape), data]);
}

/** A shorter frame on one axis that states no shape of its own has as many elements as its bytes hold. */
function shapeOf({ stream, frame }: NewestFrame): number[] {
  const { dtype } = stream.segment.descriptor;
  const held = Math.floor(frame.payloadBytes / itemSize(dtype));
  const [length = 0] = frame.shape;
  return frame.shape.length === 1 && frame.header.shape === null && held < length
    ? [held]
    : frame.shape;
}

function elements({ stream, frame }: NewestFrame, shape: number[]): Uint8Array | null {
  const { dtype, strides } = stream.segment.descriptor;
  const itemBytes = itemSize(dtype);
  const { payload } = frame;
  // The stated strides are those of the stated shape; a frame with its own lies without gaps.
  if (strides && !frame.header.shape) return inCOrder({ payload, shape, strides, itemBytes });
  const bytes = itemBytes * elementCount(shape);
  return bytes <= payload.length ? payload.subarray(0, bytes) : null;
}

function oddFrame({ stream, frame }: NewestFrame, shape: number[]): Problem {
  const { dtype, strides } = stream.segment.descriptor;
  const needed = frameBytes({ dtype, shape, strides });
  return new Problem({
    status: 422,
    kind: "frame-without-its-shape",
    title: "The frame does not fill its shape",
    detail: `This frame of stream "${stream.name}" has ${frame.payloadBytes} B; shape ${JSON.stringify(shape)} needs ${needed} B. Its bytes are at latest.bin.`,
  });
}
