/** A frame's bytes as named columns of numbers, by NumPy's types: members of records, or an array's last axis. */
import type { StreamBody } from "../../api/schemas.ts";

export type Read = (view: DataView, at: number) => number | bigint;

export interface Column {
  name: string;
  rowBytes: number;
  /** Within a row. */
  offset: number;
  read: Read;
}

type ReadOrdered = (view: DataView, at: number, little: boolean) => number | bigint;

const readers: Record<string, ReadOrdered> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => view.getBigUint64(at, little),
  i8: (view, at, little) => view.getBigInt64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

export interface Member {
  name: string;
  offset: number;
  count: number;
  itemBytes: number;
  /** Null for what is no number. */
  read: Read | null;
}

export interface Row {
  bytes: number;
  members: Member[];
}

function typeOf(typestr: string): { bytes: number; read: Read | null } {
  const [, order, type = "", size = "0"] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(typestr) ?? [];
  const bytes = type === "U" ? Number(size) * 4 : Number(size);
  const read = readers[type + size];
  return { bytes, read: read ? (view, at) => read(view, at, order !== ">") : null };
}

/** A record, or the last axis of an array as one member. */
export function rowOf({ dtype, shape }: Pick<StreamBody, "dtype" | "shape">): Row {
  if (typeof dtype === "string") {
    const { bytes, read } = typeOf(dtype);
    const count = shape.at(-1) ?? 1;
    return {
      bytes: bytes * count,
      members: [{ name: "", offset: 0, count, itemBytes: bytes, read }],
    };
  }
  let offset = 0;
  const members = dtype.map(([name, typestr, memberShape = []]) => {
    const { bytes, read } = typeOf(typestr);
    const count = memberShape.reduce((product, length) => product * length, 1);
    const member = { name, offset, count, itemBytes: bytes, read };
    offset += bytes * count;
    return member;
  });
  return { bytes: offset, members };
}

const axes = ["x", "y", "z", "w"];

/** Each number of a row with a name of its own: `x`, `temperature`, `[7]`. */
export function columnsOf(stream: Pick<StreamBody, "dtype" | "shape">): Column[] {
  const { bytes, members } = rowOf(stream);
  return members.flatMap(({ name, offset, count, itemBytes, read }) =>
    read === null
      ? []
      : Array.from({ length: count }, (_, index) => ({
          name: columnName(name, index, count),
          rowBytes: bytes,
          offset: offset + index * itemBytes,
          read,
        })),
  );
}

function columnName(member: string, index: number, count: number): string {
  if (count === 1) return member || "value";
  const axis = count <= 4 ? (axes[index] as string) : `[${index}]`;
  return member === "" || member === "xyz" ? axis : `${member} ${axis}`;
}

/** The last row's members as numbers, by name: of many samples in a frame the newest. */
export function lastRow(
  data: Uint8Array,
  stream: Pick<StreamBody, "dtype" | "shape">,
): Map<string, (number | bigint)[]> {
  const { bytes, members } = rowOf(stream);
  const values = new Map<string, (number | bigint)[]>();
  if (bytes === 0 || data.byteLength < bytes) return values;
  const start = (Math.floor(data.byteLength / bytes) - 1) * bytes;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (const { name, offset, count, itemBytes, read } of members) {
    if (!read) continue;
    const one = (_: unknown, index: number) => read(view, start + offset + index * itemBytes);
    values.set(name, Array.from({ length: count }, one));
  }
  return values;
}
