/**
 * native/bgr24.c: what the processor's own instructions give is what the plain loop gives, at every width up to
 * several steps of theirs, with rows apart and memory that is not aligned; and nothing outside is read or written.
 *
 * To see it fail: change a number of `pack`, of a shift or of a mask, let `aligned` be 1, or take a check from
 * streamem__bgr24_rows.
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lib } from "../src/ring/ffi.ts";
import { noise } from "./hololens-wire-fuzz.ts";

const guard = 64;
const mark = 0xa5;
const short = -1;
const withoutCompiler = process.env.STREAMEM_NO_COMPILER !== undefined;

interface Rows {
  bytes: Uint8Array;
  stride: number;
  width: number;
  height: number;
}

type Loop = `streamem_${"bgrx" | "uyvy"}_rows${"" | "_plain"}`;

function convert(loop: Loop, { bytes, stride, width, height }: Rows, target: Uint8Array): number {
  const given = [target, target.byteLength, bytes, bytes.byteLength, stride] as const;
  return lib[loop](...given, width | 0, height | 0);
}

/** What the loop leaves in memory of exactly the right size. Aligned rows take another path. */
function converted(loop: Loop, rows: Rows, offset: number): Uint8Array {
  const bytes = 3 * rows.width * rows.height;
  const memory = new Uint8Array(offset + bytes + guard).fill(mark);
  expect(convert(loop, rows, memory.subarray(offset, offset + bytes))).toBe(0);
  expect(memory.subarray(0, offset).every((byte) => byte === mark)).toBe(true);
  expect(memory.subarray(offset + bytes).every((byte) => byte === mark)).toBe(true);
  return memory.slice(offset, offset + bytes);
}

/** Without a compiler there is only the plain loop, by another compiler. */
test.skipIf(withoutCompiler || process.arch !== "x64")(
  "the same without a C compiler",
  async () => {
    const cache = mkdtempSync(join(tmpdir(), "streamem-test-"));
    const env = { ...process.env, STREAMEM_NO_COMPILER: "1", XDG_CACHE_HOME: cache };
    const again = Bun.spawn([process.execPath, "test", import.meta.path], {
      ...{ env, stdout: "ignore", stderr: "pipe" },
    });
    const said = await new Response(again.stderr).text();
    rmSync(cache, { recursive: true });
    expect([await again.exited, said.match(/^\(fail\).*/gm)]).toEqual([0, null]);
  },
);

/** Rows apart, not a byte more than the last pixel needs, at an odd address. */
function rowsOf(width: number, rowBytes: number): Rows {
  const height = 1 + (width % 3);
  const stride = rowBytes + (width % 5) * 4 + (width % 2);
  const memory = noise(1 + stride * (height - 1) + rowBytes, width);
  return { bytes: memory.subarray(1), stride, width, height };
}

const widths = Array.from({ length: 131 }, (_, i) => i + 1);

test("BGRX of every width: three bytes of four, the same by both loops", () => {
  for (const width of widths) {
    const rows = rowsOf(width, 4 * width);
    const expected = Uint8Array.from({ length: 3 * width * rows.height }, (_, at) => {
      const [row, inRow] = [Math.floor(at / (3 * width)), at % (3 * width)];
      return rows.bytes[row * rows.stride + 4 * Math.floor(inRow / 3) + (inRow % 3)] as number;
    });
    expect(converted("streamem_bgrx_rows_plain", rows, 1)).toEqual(expected);
    for (const offset of [0, 1, 16]) {
      expect(converted("streamem_bgrx_rows", rows, offset)).toEqual(expected);
    }
  }
});

/** BT.709, limited range, by its definition and in doubles. */
function bgrOf(y: number, u: number, v: number): number[] {
  const [kr, kb] = [0.2126, 0.0722];
  const luma = (y - 16) / 219;
  const red = luma + (2 * (1 - kr) * (v - 128)) / 224;
  const blue = luma + (2 * (1 - kb) * (u - 128)) / 224;
  const green = (luma - kr * red - kb * blue) / (1 - kr - kb);
  return [blue, green, red].map((part) => Math.max(0, Math.min(255, 255 * part)));
}

test("UYVY of every width: BT.709 to half a level and a bit, the same by both loops", () => {
  let worst = 0;
  for (const width of widths) {
    const rows = rowsOf(width, 4 * Math.ceil(width / 2));
    const plain = converted("streamem_uyvy_rows_plain", rows, 1);
    for (let pixel = 0; pixel < width * rows.height; pixel++) {
      const column = pixel % width;
      const pair = Math.floor(pixel / width) * rows.stride + 4 * (column >> 1);
      const [u, y, v] = [0, 1 + 2 * (column & 1), 2].map((at) => rows.bytes[pair + at] as number);
      const exact = bgrOf(y as number, u as number, v as number);
      for (const [i, part] of exact.entries()) {
        worst = Math.max(worst, Math.abs(part - (plain[3 * pixel + i] as number)));
      }
    }
    for (const offset of [0, 1, 16]) {
      expect(converted("streamem_uyvy_rows", rows, offset)).toEqual(plain);
    }
  }
  expect(worst).toBeGreaterThan(0.4);
  expect(worst).toBeLessThan(0.6);
});

const loops = [
  ["streamem_bgrx_rows", 80],
  ["streamem_bgrx_rows_plain", 80],
  ["streamem_uyvy_rows", 40],
  ["streamem_uyvy_rows_plain", 40],
] as const;

describe.each(loops)("%s", (loop, stride) => {
  const rows = { bytes: noise(2 * stride, 1), stride, width: 20, height: 2 };
  const room = new Uint8Array(3 * 20 * 2);

  test("too little of anything is said, not read", () => {
    expect(convert(loop, rows, room)).toBe(0);
    const wrong: Partial<Rows>[] = [
      { bytes: rows.bytes.subarray(1) },
      { stride: stride - 1 },
      { stride: 2 ** 40 },
      { width: 0 },
      { height: 0 },
      { width: 21 },
      { height: 3 },
      { width: 0x4000_0000 }, // times 4 it is 0 in 32 bits
      { width: 0x4000_0014 },
      { width: 0xffff_ffff, height: 0xffff_ffff },
    ];
    for (const change of wrong) expect(convert(loop, { ...rows, ...change }, room)).toBe(short);
    expect(convert(loop, rows, room.subarray(1))).toBe(short);
  });
});
