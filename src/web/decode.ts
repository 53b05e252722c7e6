/** A frame's bytes as numbers: NumPy's types, records, sound levels. */
import type { StreamBody } from "../api/schemas.ts";

export type Dtype = StreamBody["dtype"];

export interface Value {
  name: string;
  value: number | bigint | string;
}

type Read = (view: DataView, at: number, little: boolean) => number | bigint;

const readers: Record<string, Read> = {
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

interface Item {
  bytes: number;
  read: Read | null;
  little: boolean;
}

function itemOf(typestr: string): Item {
  const [, order, type = "", size = "0"] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(typestr) ?? [];
  const bytes = type === "U" ? Number(size) * 4 : Number(size);
  return { bytes, read: readers[type + size] ?? null, little: order !== ">" };
}

/**
 * The newest values of a frame by name, at most `most`: of a record its members, of rows of samples
 * (IMUs send many in a frame) the last row.
 */
export function newestValues(
  bytes: Uint8Array,
  dtype: Dtype,
  shape: number[],
  most: number,
): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return typeof dtype === "string"
    ? lastRow(view, itemOf(dtype), shape).slice(0, most)
    : lastRecord(view, dtype).slice(0, most);
}

function lastRow(view: DataView, item: Item, shape: number[]): Value[] {
  const { read, bytes, little } = item;
  if (!read) return [];
  const held = Math.floor(view.byteLength / bytes);
  const row = Math.min(held, shape.at(-1) ?? 1);
  return Array.from({ length: row }, (_, index) => ({
    name: row === 1 ? "value" : `[${index}]`,
    value: read(view, (held - row + index) * bytes, little),
  }));
}

function lastRecord(view: DataView, dtype: Exclude<Dtype, string>): Value[] {
  const members = dtype.map(([name, typestr, shape = []]) => ({
    name,
    item: itemOf(typestr),
    count: shape.reduce((product, length) => product * length, 1),
  }));
  const recordBytes = members.reduce((sum, { item, count }) => sum + item.bytes * count, 0);
  if (recordBytes === 0 || view.byteLength < recordBytes) return [];
  let at = (Math.floor(view.byteLength / recordBytes) - 1) * recordBytes;
  return members.flatMap(({ name, item: { read, bytes, little }, count }) => {
    const values = Array.from({ length: count }, (_, index) => ({
      name: count === 1 ? name : `${name}[${index}]`,
      value: read ? read(view, at + index * bytes, little) : "…",
    }));
    at += bytes * count;
    return values;
  });
}

export interface Level {
  /** Root of the mean square and largest sample, 1 is full scale. */
  rms: number;
  peak: number;
}

/** One level per channel. `channelAxis`: 0 for (channel, sample), 1 for (sample, channel). */
export function levels(
  bytes: Uint8Array,
  dtype: Dtype,
  shape: number[],
  channelAxis: 0 | 1,
): Level[] {
  if (typeof dtype !== "string") return [];
  const { read, bytes: size, little } = itemOf(dtype);
  if (!read) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first = 0, second = 1] = shape.length === 1 ? [1, shape[0] ?? 0] : shape;
  const channels = channelAxis === 0 ? first : second;
  const samples = Math.floor(Math.min(first * second, view.byteLength / size) / (channels || 1));
  const full = fullScale(dtype);
  return Array.from({ length: channels }, (_, channel) => {
    let [squares, peak] = [0, 0];
    for (let sample = 0; sample < samples; sample++) {
      const index = channelAxis === 0 ? channel * samples + sample : sample * channels + channel;
      const value = Math.abs(Number(read(view, index * size, little)) / full);
      squares += value * value;
      peak = Math.max(peak, value);
    }
    return { rms: Math.sqrt(squares / (samples || 1)), peak };
  });
}

function fullScale(dtype: string): number {
  const [, size] = /i(\d)$/.exec(dtype) ?? [];
  return size ? 2 ** (Number(size) * 8 - 1) : 1;
}

export const decibelFloor = -60;

/** dB below full scale, at least the floor. */
export function decibels(level: number): number {
  return level > 0 ? Math.max(decibelFloor, 20 * Math.log10(level)) : decibelFloor;
}
