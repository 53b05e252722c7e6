// What a stream says about itself: the JSON in the segment, which is also the API's.
import { basename } from "node:path";
import { z } from "zod";
import { headerBytes, LayoutError, parseHeader, type SegmentHeader } from "./layout.ts";

/** The kinds of stream. */
export const kinds = ["video", "depth", "audio", "imu", "pose", "message", "tensor"] as const;
export type StreamKind = (typeof kinds)[number];

/** One member of a record dtype, as NumPy writes it: name, typestr, and a shape where it is an array. */
const recordMember = z.union([
  z.tuple([z.string(), z.string()]),
  z.tuple([z.string(), z.string(), z.array(z.int().nonnegative())]),
]);

const typestr = z.string().regex(/^[<>|=]?[biufcSV]\d{1,4}$/);

export const dtypeSchema = z.union([typestr, z.array(recordMember).min(1)]);
export type Dtype = z.infer<typeof dtypeSchema>;

const field = z.object({
  name: z.string(),
  dtype: typestr,
  shape: z.array(z.int().nonnegative()).default([]),
  offset: z.int().nonnegative(),
  unit: z.string().nullish(),
});
export type FieldSpec = z.input<typeof field>;

const clock = z.object({
  name: z.string(),
  unit: z.string(),
  epoch: z.string(),
  method: z.enum(["probe", "one-way", "local"]),
});

/** What a producer says; `name`, `wake` and `shm` are added when the ring is made. */
export const streamSpecSchema = z.looseObject({
  kind: z.enum(kinds),
  dtype: dtypeSchema,
  shape: z.array(z.int().nonnegative()).max(8),
  dims: z.array(z.string()).optional(),
  strides: z.array(z.int()).optional(),
  pixelFormat: z.string().optional(),
  planes: z.array(z.looseObject({})).optional(),
  rate: z.number().positive().nullish(),
  sampleRateHz: z.number().positive().optional(),
  channels: z.int().positive().optional(),
  units: z.string().optional(),
  clock: clock.optional(),
  lagNs: z.union([z.number(), z.string()]).optional(),
  fields: z.array(field).optional(),
  encoding: z.enum(["json", "utf8", "msgpack"]).optional(),
  source: z.looseObject({}).optional(),
  calibration: z.string().optional(),
});
export type StreamSpec = z.input<typeof streamSpecSchema>;

/** The whole descriptor as it stands in a segment. */
export const descriptorSchema = streamSpecSchema.extend({
  name: z.string(),
  wake: z.string().nullish(),
  shm: z.looseObject({
    object: z.string(),
    path: z.string(),
    generation: z.string(),
    slotCount: z.int(),
    slotStride: z.int(),
    payloadCapacity: z.int(),
  }),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

/**
 * The descriptor that stands in a segment, from its bytes. A reader needs only `dtype` and `shape`: a missing kind is
 * `tensor`, a missing name that of the file; sizes and generation in `shm` are always the header's. Throws LayoutError in words.
 */
export function parseDescriptor(
  bytes: Uint8Array,
  header: SegmentHeader,
  path: string,
): Descriptor {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new LayoutError(`the descriptor is not JSON in UTF-8: ${(error as Error).message}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new LayoutError("the descriptor is not a JSON object");
  }
  const file = basename(path);
  const stated = "shm" in json && typeof json.shm === "object" ? json.shm : {};
  const parsed = descriptorSchema.safeParse({
    kind: "tensor",
    name: file.slice(file.indexOf(".") + 1),
    wake: null,
    ...json,
    shm: {
      object: `/${file}`,
      path,
      ...stated,
      generation: header.generation,
      slotCount: header.slotCount,
      slotStride: header.slotStride,
      payloadCapacity: header.payloadCapacity,
    },
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LayoutError(`the descriptor's ${issue?.path.join(".") || "object"}: ${issue?.message}`);
}

/** The descriptor of a mapped ring: header and descriptor are checked on a copy, then parsed. */
export function mappedDescriptor(memory: ArrayBuffer, path: string): Descriptor {
  const header = parseHeader(new Uint8Array(memory.slice(0, headerBytes)), memory.byteLength);
  const { descriptorOffset, descriptorBytes } = header;
  return parseDescriptor(new Uint8Array(memory, descriptorOffset, descriptorBytes), header, path);
}

/** The clock of a sensor that this machine stamps itself. */
export const localClock = {
  name: "CLOCK_MONOTONIC",
  unit: "ns",
  epoch: "boot",
  method: "local",
} as const;

/** Slots of a ring whose config says nothing: a burst of nine messages must not lose two. */
export function defaultSlots(kind: StreamKind): number {
  if (kind === "audio") return 64;
  return kind === "imu" || kind === "pose" || kind === "message" ? 256 : 8;
}

/** Payload capacity in bytes of a message stream whose config says nothing. */
export const messageCapacityBytes = 16384;

function typestrSize(text: string): number {
  return Number(text.replace(/^[<>|=]?[a-zA-Z]/, ""));
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of one element of `dtype`; of one record where it is a list (packed, as NumPy lays it out). */
export function itemSize(dtype: Dtype): number {
  if (typeof dtype === "string") return typestrSize(dtype);
  return dtype.reduce(
    (sum, [, type, shape]) => sum + typestrSize(type) * elementCount(shape ?? []),
    0,
  );
}

/** Bytes of a frame of the descriptor's own shape; strides win where they are given. */
export function frameBytes(spec: Pick<StreamSpec, "dtype" | "shape" | "strides">): number {
  const item = itemSize(spec.dtype);
  if (!spec.strides || spec.shape.length === 0) return item * elementCount(spec.shape);
  const last = spec.shape.reduce(
    (sum, size, i) => sum + (size - 1) * Math.abs(spec.strides?.[i] ?? 0),
    0,
  );
  return last + item;
}

/** Bytes of the metadata area that `fields` need. */
export function fieldsBytes(fields: readonly FieldSpec[] | undefined): number {
  const ends = (fields ?? []).map(
    (f) => f.offset + typestrSize(f.dtype) * elementCount(f.shape ?? []),
  );
  return Math.max(0, ...ends);
}
