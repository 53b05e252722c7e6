// Per-frame metadata: the bytes in a slot's metadata area, laid out by descriptor.fields.
import { elementCount, type FieldSpec } from "./descriptor.ts";

/** A field's value: a number, a bigint for 64-bit integers, or a list of them where the field has a shape. */
export type FieldValue = number | bigint | number[] | bigint[];

function readOne(view: DataView, offset: number, type: string): number | bigint {
  switch (type) {
    case "u1":
    case "b1":
      return view.getUint8(offset);
    case "i1":
      return view.getInt8(offset);
    case "u2":
      return view.getUint16(offset, true);
    case "i2":
      return view.getInt16(offset, true);
    case "u4":
      return view.getUint32(offset, true);
    case "i4":
      return view.getInt32(offset, true);
    case "u8":
      return view.getBigUint64(offset, true);
    case "i8":
      return view.getBigInt64(offset, true);
    case "f4":
      return view.getFloat32(offset, true);
    case "f8":
      return view.getFloat64(offset, true);
    default:
      throw new TypeError(`field type ${type}: allowed are b1 u1 i1 u2 i2 u4 i4 u8 i8 f4 f8`);
  }
}

function writeOne(view: DataView, offset: number, type: string, value: number | bigint): void {
  switch (type) {
    case "u1":
    case "b1":
      return view.setUint8(offset, Number(value));
    case "i1":
      return view.setInt8(offset, Number(value));
    case "u2":
      return view.setUint16(offset, Number(value), true);
    case "i2":
      return view.setInt16(offset, Number(value), true);
    case "u4":
      return view.setUint32(offset, Number(value), true);
    case "i4":
      return view.setInt32(offset, Number(value), true);
    case "u8":
      return view.setBigUint64(offset, BigInt(value), true);
    case "i8":
      return view.setBigInt64(offset, BigInt(value), true);
    case "f4":
      return view.setFloat32(offset, Number(value), true);
    case "f8":
      return view.setFloat64(offset, Number(value), true);
    default:
      throw new TypeError(`field type ${type}: allowed are b1 u1 i1 u2 i2 u4 i4 u8 i8 f4 f8`);
  }
}

function typeOf(field: FieldSpec): { type: string; size: number; count: number } {
  const type = field.dtype.replace(/^[<|=]/, "");
  return { type, size: Number(type.slice(1)), count: elementCount(field.shape ?? []) };
}

/** The fields of a frame by name. Fields that lie beyond `bytes` are left out: the writer gave none. */
export function decodeFields(
  bytes: Uint8Array,
  fields: readonly FieldSpec[] | undefined,
): Record<string, FieldValue> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: Record<string, FieldValue> = {};
  for (const field of fields ?? []) {
    const { type, size, count } = typeOf(field);
    if (field.offset + size * count > bytes.byteLength) continue;
    const one = (i: number) => readOne(view, field.offset + size * i, type);
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
    const { type, size, count } = typeOf(field);
    const list = typeof value === "object" ? value : [value];
    for (let i = 0; i < Math.min(count, list.length); i++) {
      writeOne(view, field.offset + size * i, type, list[i] as number | bigint);
    }
  }
  return bytes;
}

/** Lays fields out one after the other, each aligned to its own size: a descriptor's `fields`. */
export function layOutFields(fields: Omit<FieldSpec, "offset">[]): FieldSpec[] {
  let end = 0;
  return fields.map((field) => {
    const { size, count } = typeOf({ ...field, offset: 0 });
    const offset = Math.ceil(end / size) * size;
    end = offset + size * count;
    return { ...field, offset };
  });
}
