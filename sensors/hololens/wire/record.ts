/**
 * Fixed layouts, said once and used in both directions: a record is a list of named fields without
 * padding, little-endian, as everything on these ports is.
 */
import { ProtocolError } from "./protocol-error.ts";

export interface Field<T> {
  readonly bytes: number;
  /** As NumPy writes it; missing where there is no one typestr for it. */
  readonly dtype?: { typestr: string; shape: number[] };
  read(view: DataView, at: number): T;
  /** Throws RangeError for a value that does not fit: DataView alone would store its lowest bits. */
  write(view: DataView, at: number, value: T): void;
}

type Scalar<T> = (typestr: string, get: Getter<T>, set: Setter<T>) => Field<T>;
type Getter<T> = (view: DataView, at: number) => T;
type Setter<T> = (view: DataView, at: number, value: T) => void;

function scalar<T>(typestr: string, read: Getter<T>, write: Setter<T>): Field<T> {
  return { bytes: Number(typestr.slice(2)), dtype: { typestr, shape: [] }, read, write };
}

const integer =
  (from: number, to: number): Scalar<number> =>
  (typestr, get, set) =>
    scalar(typestr, get, (view, at, value) => {
      if (!Number.isInteger(value) || value < from || value > to) {
        throw new RangeError(`${value} is no whole number from ${from} to ${to}`);
      }
      set(view, at, value);
    });

const bigInteger =
  (from: bigint, to: bigint): Scalar<bigint> =>
  (typestr, get, set) =>
    scalar(typestr, get, (view, at, value) => {
      if (value < from || value > to) {
        throw new RangeError(`${value} is no whole number from ${from} to ${to}`);
      }
      set(view, at, value);
    });

export const u8 = integer(0, 0xff)(
  "|u1",
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
);
export const u16 = integer(0, 0xffff)(
  "<u2",
  (view, at) => view.getUint16(at, true),
  (view, at, value) => view.setUint16(at, value, true),
);
export const u32 = integer(0, 0xffffffff)(
  "<u4",
  (view, at) => view.getUint32(at, true),
  (view, at, value) => view.setUint32(at, value, true),
);
export const i32 = integer(-(2 ** 31), 2 ** 31 - 1)(
  "<i4",
  (view, at) => view.getInt32(at, true),
  (view, at, value) => view.setInt32(at, value, true),
);
export const u64 = bigInteger(0n, 2n ** 64n - 1n)(
  "<u8",
  (view, at) => view.getBigUint64(at, true),
  (view, at, value) => view.setBigUint64(at, value, true),
);
export const i64 = bigInteger(-(2n ** 63n), 2n ** 63n - 1n)(
  "<i8",
  (view, at) => view.getBigInt64(at, true),
  (view, at, value) => view.setBigInt64(at, value, true),
);
export const f32 = scalar<number>(
  "<f4",
  (view, at) => view.getFloat32(at, true),
  (view, at, value) => view.setFloat32(at, value, true),
);

/** `count` floats; read into an array of its own, so that what it was read from may go. */
export function floats(count: number): Field<Float32Array> {
  const bytes = 4 * count;
  return {
    bytes,
    dtype: { typestr: "<f4", shape: [count] },
    read: (view, at) => {
      const values = new Float32Array(count);
      new Uint8Array(values.buffer).set(new Uint8Array(view.buffer, view.byteOffset + at, bytes));
      return values;
    },
    write: (view, at, values) => {
      checkCount(values.length, count);
      const raw = new Uint8Array(values.buffer, values.byteOffset, bytes);
      new Uint8Array(view.buffer, view.byteOffset + at, bytes).set(raw);
    },
  };
}

/** `count` of a field, one after the other. */
export function listOf<T>(item: Field<T>, count: number): Field<T[]> {
  const { dtype } = item;
  return {
    bytes: item.bytes * count,
    dtype: dtype && { typestr: dtype.typestr, shape: [count, ...dtype.shape] },
    read: (view, at) =>
      Array.from({ length: count }, (_, i) => item.read(view, at + item.bytes * i)),
    write: (view, at, values) => {
      checkCount(values.length, count);
      values.forEach((value, i) => {
        item.write(view, at + item.bytes * i, value);
      });
    },
  };
}

function checkCount(given: number, count: number): void {
  if (given !== count) throw new RangeError(`${given} values, not ${count}`);
}

export type Fields = Record<string, Field<unknown>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
export type ValuesOf<S extends Fields> = { [Name in keyof S]: ValueOf<S[Name]> };

export interface RecordLayout<S extends Fields> extends Field<ValuesOf<S>> {
  readonly fields: S;
  readonly offsets: { [Name in keyof S]: number };
  /** @param where for the error when `bytes` are not exactly as many as the record has */
  parse(bytes: Uint8Array, where: string): ValuesOf<S>;
  encode(values: ValuesOf<S>): Uint8Array;
  /** NumPy's `descr` list, for a ring that carries the record as it is. */
  descr(): [name: string, typestr: string, shape: number[]][];
}

/** The values of a record layout: `Values<typeof footer>`. */
export type Values<R> = R extends RecordLayout<infer S> ? ValuesOf<S> : never;

export function record<S extends Fields>(fields: S): RecordLayout<S> {
  const names = Object.keys(fields) as (keyof S & string)[];
  const offsets = {} as { [Name in keyof S]: number };
  let bytes = 0;
  for (const name of names) {
    offsets[name] = bytes;
    bytes += fieldOf(name).bytes;
  }

  function fieldOf(name: keyof S): Field<unknown> {
    return fields[name] as Field<unknown>;
  }

  function read(view: DataView, at: number): ValuesOf<S> {
    const values = {} as ValuesOf<S>;
    for (const name of names) {
      values[name] = fieldOf(name).read(view, at + offsets[name]) as ValuesOf<S>[typeof name];
    }
    return values;
  }

  function write(view: DataView, at: number, values: ValuesOf<S>): void {
    for (const name of names) {
      try {
        fieldOf(name).write(view, at + offsets[name], values[name]);
      } catch (error) {
        throw new RangeError(`${name}: ${(error as Error).message}`);
      }
    }
  }

  return {
    bytes,
    fields,
    offsets,
    read,
    write,
    parse(given, where) {
      if (given.byteLength !== bytes) {
        const what = `${given.byteLength} bytes`;
        throw new ProtocolError({ where, what, allowed: `exactly ${bytes}` });
      }
      return read(viewOf(given), 0);
    },
    encode(values) {
      const encoded = new Uint8Array(bytes);
      write(viewOf(encoded), 0, values);
      return encoded;
    },
    descr: () => names.map((name) => describe(name, fieldOf(name))),
  };
}

function describe(name: string, { dtype }: Field<unknown>): [string, string, number[]] {
  if (!dtype) throw new TypeError(`${name} has no NumPy type of its own`);
  return [name, dtype.typestr, dtype.shape];
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The parts in one array. */
export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
