/**
 * To see these fail: in src/pictures/npy.ts drop the comma of a tuple of one, pad to 63 instead of 64, or leave
 * the escapes out. Python itself reads the header; NumPy reads the file where it is installed.
 */
import { describe, expect, test } from "bun:test";
import { inCOrder, type NpyType, npyHeader } from "../src/pictures/npy.ts";

const python = "python3"; // in `bun run test` that of an environment with NumPy
const hasNumpy = Bun.spawnSync([python, "-c", "import numpy"]).exitCode === 0;
if (!hasNumpy) console.warn("SKIPPED: NumPy reads .npy files; `bun run test` installs it");

const detections: NpyType = [
  ["box", "<f4", [4]],
  ["class", "|u1"],
  ["it's \\ à 😀", [["inner", "<i8"]]],
];

async function ask(script: string, stdin: Uint8Array): Promise<unknown> {
  const child = Bun.spawn([python, "-c", script], { stdin, stderr: "inherit" });
  return JSON.parse(await new Response(child.stdout).text());
}

const readLiteral = `
import ast, json, sys
data = sys.stdin.buffer.read()
assert data[:8] == b"\\x93NUMPY\\x01\\x00", data[:8]
length = int.from_bytes(data[8:10], "little")
assert (10 + length) % 64 == 0 and len(data) == 10 + length and data[-1:] == b"\\n"
header = ast.literal_eval(data[10:].decode("latin1"))
print(json.dumps([type(header["shape"]).__name__, header]))
`;

const readArray = `
import io, json, sys, numpy
array = numpy.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
print(json.dumps([array.dtype.descr if array.dtype.names else array.dtype.str, array.shape, array.tobytes().hex()]))
`;

describe("header", () => {
  test.each<[string, NpyType, number[]]>([
    ["a picture", "|u1", [720, 1280, 3]],
    ["one axis", "<f4", [7]],
    ["a scalar", "<f8", []],
    ["records", detections, [12]],
  ])("%s, as Python reads it", async (_, dtype, shape) => {
    const expected = { descr: dtype, fortran_order: false, shape };
    expect(await ask(readLiteral, npyHeader(dtype, shape))).toEqual(["tuple", expected]);
  });

  test("every length of header is padded to 64 bytes", () => {
    for (let length = 1; length < 200; length++) {
      const header = npyHeader([["n".repeat(length), "|u1"]], [1]);
      expect(header.length % 64).toBe(0);
      expect(header.at(-1)).toBe(10);
    }
  });

  test("a dtype beyond the format's 64 KiB is refused", () => {
    expect(() => npyHeader([["n".repeat(70_000), "|u1"]], [1])).toThrow(/too long/);
  });
});

describe("NumPy reads it", () => {
  test.skipIf(!hasNumpy)("records with a sub-array and a nested record", async () => {
    const bytes = Uint8Array.from({ length: 50 }, (_, at) => at);
    const file = Buffer.concat([npyHeader(detections, [2]), bytes]);
    const expected = [detections, [2], bytes.toHex()];
    expect(await ask(readArray, file)).toEqual(expected);
  });
});

describe("elements with gaps", () => {
  test("are brought together in C order", () => {
    const payload = Uint8Array.from([1, 2, 3, 0, 4, 5, 6, 0]);
    const strided = { payload, shape: [2, 3], strides: [4, 1], itemBytes: 1 };
    expect(inCOrder(strided)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });

  test("may lie transposed, or as one repeated row", () => {
    const payload = Uint8Array.from([1, 2, 3, 4, 5, 6]);
    const transposed = { payload, shape: [3, 2], strides: [1, 3], itemBytes: 1 };
    expect(inCOrder(transposed)).toEqual(Uint8Array.of(1, 4, 2, 5, 3, 6));
    const repeated = { payload, shape: [2, 2], strides: [0, 2], itemBytes: 2 };
    expect(inCOrder(repeated)).toEqual(Uint8Array.of(1, 2, 3, 4, 1, 2, 3, 4));
  });

  test("that lie outside of the frame are refused", () => {
    const payload = new Uint8Array(7);
    expect(inCOrder({ payload, shape: [2, 4], strides: [4, 1], itemBytes: 1 })).toBeNull();
    expect(inCOrder({ payload, shape: [2, 3], strides: [-3, 1], itemBytes: 1 })).toBeNull();
    expect(inCOrder({ payload, shape: [2, 3], strides: [3], itemBytes: 1 })).toBeNull();
  });
});
