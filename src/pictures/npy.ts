/** NumPy's file format (.npy 1.0) for one frame, records included. */

/** A NumPy typestr, or its `descr` list of name, type and optional shape. */
export type NpyType = string | readonly NpyField[];
export type NpyField = readonly [name: string, type: NpyType, shape?: readonly number[]];

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0);
const lengthBytes = 2;
const alignment = 64;

/** What stands before the data: magic, version, length and a Python literal, padded to 64 bytes. */
export function npyHeader(dtype: NpyType, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const literal = `{'descr': ${pythonType(dtype)}, 'fortran_order': False, 'shape': ${tuple(shape)}, }`;
  const unpadded = magic.length + lengthBytes + literal.length + 1;
  const total = Math.ceil(unpadded / alignment) * alignment;
  const textBytes = total - magic.length - lengthBytes;
  if (textBytes > 0xffff)
    throw new RangeError(`A dtype of ${literal.length} characters is too long`);
  const bytes = Buffer.alloc(total, " ");
  bytes.set(magic);
  bytes.writeUInt16LE(textBytes, magic.length);
  bytes.write(literal, magic.length + lengthBytes, "latin1");
  bytes.write("\n", total - 1, "latin1");
  return bytes;
}

function pythonType(type: NpyType): string {
  if (typeof type === "string") return pythonString(type);
  const fields = type.map(([name, inner, shape]) => {
    const parts = [pythonString(name), pythonType(inner)];
    if (shape) parts.push(tuple(shape));
    return `(${parts.join(", ")})`;
  });
  return `[${fields.join(", ")}]`;
}

/** In ASCII with Python's escapes, so that version 1.0 (Latin-1) carries any name. */
function pythonString(text: string): string {
  const escaped = [...text].map((character) => {
    const code = character.codePointAt(0) as number;
    if (character === "'" || character === "\\") return `\\${character}`;
    if (code >= 0x20 && code < 0x7f) return character;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `'${escaped.join("")}'`;
}

function tuple(lengths: readonly number[]): string {
  return lengths.length === 1 ? `(${lengths[0]},)` : `(${lengths.join(", ")})`;
}

export interface Strided {
  payload: Uint8Array;
  shape: readonly number[];
  /** Bytes from one element to the next along each axis. */
  strides: readonly number[];
  itemBytes: number;
}

/** The elements in C order without gaps, as a .npy file must have them. Null where they lie outside. */
export function inCOrder({ payload, shape, strides, itemBytes }: Strided): Uint8Array | null {
  if (strides.length !== shape.length) return null;
  let reach = itemBytes;
  for (const [axis, length] of shape.entries()) {
    const stride = strides[axis] as number;
    if (length === 0) return new Uint8Array(0);
    if (stride < 0) return null;
    reach += (length - 1) * stride;
  }
  if (reach > payload.length) return null;
  const out = new Uint8Array(shape.reduce((product, length) => product * length, itemBytes));
  copyAxes({ payload, shape, strides, itemBytes }, out);
  return out;
}

function copyAxes({ payload, shape, strides, itemBytes }: Strided, out: Uint8Array): void {
  let inner = shape.length;
  let run = itemBytes;
  while (inner > 0 && strides[inner - 1] === run) run *= shape[--inner] as number;
  let to = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === inner) {
      out.set(payload.subarray(from, from + run), to);
      to += run;
      return;
    }
    for (let index = 0; index < (shape[axis] as number); index++) {
      walk(axis + 1, from + index * (strides[axis] as number));
    }
  };
  walk(0, 0);
}
