// Per-frame metadata: the bytes in a slot's metadata area, laid out by descriptor.fields.
import { elementCount, type FieldSpec, itemSize } from "./descriptor.ts";

/** A field's value: a number, a bigint for 64-bit integers, or a list of them where the field has a shape. */
export type FieldValue = number | bigint | number[] | bigint[];

type Accessor = {
  get(view: DataView, offset: number): number | bigint;
  set(view: DataView, offset: number, value: number | bigint): void;
};

const u1: Accessor = {
  get: (view, offset) => view.getUint8(offset),
  set: (view, offset, value) => view.setUint8(offset, Number(value)),
};

const accessors: Record<string, Accessor> = {
  b1: u1,
  u1,
  i1: {
    get: (view, offset) => view.getInt8(offset),
    set: (view, offset, value) => view.setInt8(offset, Number(value)),
  },
  u2: {
    get: (view, offset) => view.getUint16(offset, true),
    set: (view, offset, value) => view.setUint16(offset, Number(value), true),
  },
  i2: {
    get: (view, offset) => view.getInt16(offset, true),
    set: (view, offset, value) => view.setInt16(offset, Number(value), true),
  },
  u4: {
    get: (view, offset) => view.getUint32(offset, true),
    set: (view, offset, value) => view.setUint32(offset, Number(value), true),
  },
  i4: {
    get: (view, offset) => view.getInt32(offset, true),
    set: (view, offset, value) => view.setInt32(offset, Number(value), true),
  },
  u8: {
    get: (view, offset) => view.getBigUint64(offset, true),
    set: (view, offset, value) => view.setBigUint64(offset, BigInt(value), true),
  },
  i8: {
    get: (view, offset) => view.getBigInt64(offset, true),
    set: (view, offset, value) => view.setBigInt64(offset, BigInt(value), true),
  },
  f4: {
    get: (view, offset) => view.getFloat32(offset, true),
    set: (view, offset, value) => view.setFloat32(offset, Number(value), true),
  },
  f8: {
    get: (view, offset) => view.getFloat64(offset, true),
    set: (view, offset, value) => view.setFloat64(offset, Number(value), true),
  },
};

function layoutOf(field: FieldSpec): { size: number; count: number } {
  return { size: itemSize(field.dtype), count: elementCount(field.shape ?? []) };
}

function accessorOf(field: FieldSpec): Accessor | undefined {
  return accessors[field.dtype.replace(/^[<|=]/, "")];
}

/**
 * The fields of a frame by name. Left out are those that lie beyond `bytes` (the writer gave none) and those of
 * a type that is no little-endian number.
 */
export function decodeFields(
  bytes: Uint8Array,
  fields: readonly FieldSpec[] | undefined,
): Record<string, FieldValue> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: Record<string, FieldValue> = {};
  for (const field of fields ?? []) {
    const { size, count } = layoutOf(field);
    const accessor = accessorOf(field);
    if (!accessor || field.offset + size * count > bytes.byteLength) continue;
    const one = (i: number) => accessor.get(view, field.offset + size * i);
    decoded[field.name] = field.shape?.length
      ? (Array.from({ length: count }, (_, i) => one(i)) as number[] | bigint[])
      : one(0);
  }
  return decoded;
}

/** Writes `values` into `bytes` (as long as the fields need). Throws TypeError for a name that is no field. */
export function encodeFields(
  bytes: Uint8Array,
  fields: readonly FieldSpec[],
  values: Record<string, number | bigint | ArrayLike<number> | ArrayLike<bigint>>,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [name, value] of Object.entries(values)) {
    const field = fields.find((candidate) => candidate.name === name);
    if (!field) {
      const known = fields.map((candidate) => candidate.name).join(", ");
      throw new TypeError(`no field "${name}": the descriptor has ${known || "none"}`);
    }
    const { size, count } = layoutOf(field);
    const accessor = accessorOf(field);
    if (!accessor) {
      const known = Object.keys(accessors).join(", ");
      throw new TypeError(`field "${name}" has dtype ${field.dtype}: allowed are ${known}`);
    }
    const list = typeof value === "object" ? value : [value];
    for (let i = 0; i < Math.min(count, list.length); i++) {
      accessor.set(view, field.offset + size * i, list[i] as number | bigint);
    }
  }
  return bytes;
}

/** Lays fields out one after the other, each aligned to its own size: a descriptor's `fields`. */
export function layOutFields(fields: Omit<FieldSpec, "offset">[]): FieldSpec[] {
  let end = 0;
  return fields.map((field) => {
    const { size, count } = layoutOf({ ...field, offset: 0 });
    const offset = Math.ceil(end / size) * size;
    end = offset + size * count;
    return { ...field, offset };
  });
}
