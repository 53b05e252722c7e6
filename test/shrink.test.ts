/**
 * Small pictures (native/shrink.c, with and without vectors) against the same means in JavaScript, at any size, format and
 * distance of rows; and what is read and written never goes beyond what there is.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PictureLayout, pictureLayout } from "../src/pictures/pictures.ts";
import {
  isPlanar,
  type PixelFormat,
  type PlanarFormat,
  pixelRows,
} from "../src/pictures/pixels.ts";
import { factorFor, Shrinker } from "../src/pictures/shrink.ts";
import { lib } from "../src/ring/ffi.ts";
import { random } from "./hololens-wire-vectors.ts";

const next = random(5);
const below = (limit: number) => Math.floor(next() * limit);
const folder = mkdtempSync(join(tmpdir(), "streamem-shrink-"));
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

const withoutCompiler = process.env.STREAMEM_NO_COMPILER !== undefined;

// There a number that the engine holds as a double arrives as another one: see `whole` in shrink.ts.
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
  60_000,
);

function file(bytes: Uint8Array): number {
  const path = join(folder, String(opened.length));
  writeFileSync(path, bytes);
  opened.push(openSync(path, "r"));
  return opened.at(-1) as number;
}

const samplesOf = { gray: 1, rgb24: 3, bgr24: 3, rgba: 4, bgra: 4, bgr0: 4 } as const;
const twoBytes: readonly PixelFormat[] = ["gray16le", "uyvy422", "p216le"];

function shapeOf(format: PixelFormat, width: number, height: number): number[] {
  if (format === "p216le") return [2, height, width];
  return isPlanar(format) ? [(height * 3) / 2, width] : [height, width];
}

function layoutOf(format: PixelFormat, width: number, height: number, gap: number) {
  const sample = twoBytes.includes(format)
    ? 2
    : ((samplesOf as Record<string, number>)[format] ?? 1);
  const stride = width * sample + gap;
  const shape = shapeOf(format, width, height);
  const rowsInAll = shape.length === 3 ? 2 * height : (shape[0] as number);
  const bytes = stride * rowsInAll;
  const descriptor = {
    kind: "video",
    dtype: "|u1",
    shape,
    strides: shape.length === 3 ? [stride * height, stride, sample] : [stride, sample],
    pixelFormat: format,
  };
  return { layout: pictureLayout(descriptor, { payloadBytes: bytes, shape }), bytes };
}

/** The mean of a box of bytes, rounded to the nearest. */
function mean(bytes: Uint8Array, at: number[]): number {
  const sum = at.reduce((total, index) => total + (bytes[index] as number), 0);
  return Math.floor((sum + Math.floor(at.length / 2)) / at.length);
}

function boxMeans(bytes: Uint8Array, layout: PictureLayout, samples: number, n: number): number[] {
  const { width, height, planes } = layout;
  const [{ offset, stride }] = planes as [{ offset: number; stride: number }];
  const means: number[] = [];
  for (let y = 0; y < Math.floor(height / n); y++) {
    for (let x = 0; x < Math.floor(width / n); x++) {
      for (let sample = 0; sample < samples; sample++) {
        const box = Array.from({ length: n * n }, (_, i) => {
          const [row, column] = [y * n + Math.floor(i / n), x * n + (i % n)];
          return offset + row * stride + column * samples + sample;
        });
        means.push(mean(bytes, box));
      }
    }
  }
  return means;
}

const begin = 37; // a payload lies anywhere in its file

function shrunk(format: PixelFormat, width: number, height: number, gap: number, n: number) {
  const { layout, bytes } = layoutOf(format, width, height, gap);
  const payload = Uint8Array.from({ length: bytes }, () => below(256));
  const fd = file(Buffer.concat([new Uint8Array(begin), payload]));
  const small = new Shrinker().shrink(layout, { fd, offset: begin }, n);
  return { layout, payload, small };
}

describe("means of boxes", () => {
  for (const [format, samples] of Object.entries(samplesOf)) {
    test(`${format}: every factor, odd sizes, gaps between rows`, () => {
      for (const n of [1, 2, 3, 4, 5, 7, 16]) {
        const [width, height] = [n * (1 + below(40)) + below(n), n * (1 + below(6)) + below(n)];
        const { layout, payload, small } = shrunk(
          format as PixelFormat,
          width,
          height,
          below(9),
          n,
        );
        expect([...small.pixels]).toEqual(boxMeans(payload, layout, samples, n));
      }
    });
  }

  test("the brightest stay the brightest", () => {
    for (const n of [2, 3, 4, 9, 64]) {
      const { layout, bytes } = layoutOf("bgr24", n * 20, n * 2, 0);
      const fd = file(new Uint8Array(bytes).fill(255));
      const { pixels } = new Shrinker().shrink(layout, { fd, offset: 0 }, n);
      expect(pixels.every((value) => value === 255)).toBe(true);
    }
  });
});

/** Bytes in each plane that belong together: pixels, or pairs of them. */
const unitsOf: Partial<Record<PixelFormat, number[]>> = {
  uyvy422: [4],
  nv12: [1, 2],
  p216le: [2, 4],
};

/** Rows of a plane, and the bytes of one. */
function extentOf(format: PixelFormat, plane: number, width: number, height: number) {
  if (twoBytes.includes(format)) return [height, width * 2] as const;
  const rows = plane === 0 ? height : height / 2;
  return [rows, format === "yuv420p" && plane > 0 ? width / 2 : width] as const;
}

/** A picture whose boxes have one value each: its small one is the box's pixel, whatever is averaged first. */
function flatBoxes(format: PixelFormat, width: number, height: number, n: number) {
  const { layout, bytes } = layoutOf(format, width * n, height * n, 0);
  const small = layoutOf(format, width, height, 0);
  const pixels = Uint8Array.from({ length: small.bytes }, () => below(256));
  const payload = new Uint8Array(bytes);
  for (const [index, { offset, stride }] of layout.planes.entries()) {
    const from = small.layout.planes[index] as { offset: number; stride: number };
    const unit = unitsOf[format]?.[index] ?? 1;
    const [rows, rowBytes] = extentOf(format, index, width * n, height * n);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < rowBytes; x++) {
        const source = Math.floor(Math.floor(x / unit) / n) * unit + (x % unit);
        payload[offset + y * stride + x] = pixels[
          from.offset + Math.floor(y / n) * from.stride + source
        ] as number;
      }
    }
  }
  return { layout, payload, small: small.layout, pixels };
}

describe("luma and chroma", () => {
  test.each<PlanarFormat>(["nv12", "yuv420p", "p216le"])(
    "%s in the colours of pixels.ts",
    (format) => {
      for (const n of [1, 2, 3, 4]) {
        const { layout, payload, small, pixels } = flatBoxes(format, 12, 8, n);
        const fd = file(payload);
        const got = new Shrinker().shrink(layout, { fd, offset: 0 }, n);
        const planes = small.planes.map(({ offset, stride }) => ({
          bytes: pixels.subarray(offset),
          stride,
        }));
        const wanted = new Uint8Array(12 * 8 * 3);
        for (let y = 0; y < 8; y++)
          pixelRows(format).write({ ...small, planes }, y, wanted, y * 36);
        expect(got).toMatchObject({ samples: "RGB", width: 12, height: 8 });
        expect([...got.pixels]).toEqual([...wanted]);
      }
    },
  );

  test("uyvy422 in the colours of pixels.ts", () => {
    const { layout, payload } = flatBoxes("uyvy422", 12, 8, 1);
    const got = new Shrinker().shrink(layout, { fd: file(payload), offset: 0 }, 1);
    const wanted = new Uint8Array(12 * 8 * 3);
    const planes = [{ bytes: payload, stride: 24 }];
    for (let y = 0; y < 8; y++)
      pixelRows("uyvy422").write({ ...layout, planes }, y, wanted, y * 36);
    expect([...got.pixels]).toEqual([...wanted]);
  });

  test.each<PixelFormat>(["uyvy422", "p216le"])(
    "%s of one colour stays it, by any factor",
    (format) => {
      for (const n of [2, 3, 5]) {
        const { layout, bytes } = layoutOf(format, 30, 30, 4);
        const payload = Uint8Array.from(
          { length: bytes },
          (_, at) => [90, 120, 200, 120][(at % 64) % 4] as number,
        );
        const { pixels } = new Shrinker().shrink(layout, { fd: file(payload), offset: 0 }, n);
        expect(
          new Set(Array.from({ length: pixels.length / 3 }, (_, i) => pixels.readUIntBE(i * 3, 3)))
            .size,
        ).toBe(1);
      }
    },
  );
});

describe("bounds", () => {
  const shrink = (
    target: Uint8Array,
    room: number,
    fd: number,
    width: number,
    height: number,
    n: number,
  ) => lib.streamem_shrink(target, room, fd, 0, width * 3, width, height, 3, n);

  // To see it fail: let the last memcpy() of streamem__mean_row() take 4 bytes.
  test("nothing behind the target is written", () => {
    const fd = file(new Uint8Array(64 * 48 * 3).fill(9));
    for (const n of [1, 2, 3, 4, 5]) {
      const bytes = Math.floor(64 / n) * Math.floor(48 / n) * 3;
      const target = new Uint8Array(bytes + 64).fill(0xa5);
      expect(shrink(target, bytes, fd, 64, 48, n)).toBe(0);
      expect(target.subarray(bytes).every((byte) => byte === 0xa5)).toBe(true);
      expect(shrink(target, bytes - 1, fd, 64, 48, n)).toBeLessThan(0);
    }
  });

  test("a file that is too short, and sizes that are none, are said and not read", () => {
    const fd = file(new Uint8Array(64 * 48 * 3 - 1));
    const target = new Uint8Array(64 * 48 * 3);
    for (const n of [1, 2, 3]) expect(shrink(target, target.length, fd, 64, 48, n)).toBeLessThan(0);
    for (const n of [0, 257, 2 ** 31])
      expect(shrink(target, target.length, fd, 64, 47, n)).toBeLessThan(0);
    expect(lib.streamem_shrink(target, target.length, fd, 0, 10, 64, 4, 3, 2)).toBeLessThan(0);
    expect(lib.streamem_pick_16(target, target.length, fd, 0, 128, 64, 73, 1)).toBeLessThan(0);
    const shrink422 = (chroma: number, byte: number, width: number, height: number) =>
      lib.streamem_shrink_422(target, target.length, fd, 0, chroma, byte, 128, width, height, 2);
    expect(shrink422(0, 0, 64, 72)).toBeLessThan(0);
    expect(shrink422(0, 0, 63, 4)).toBeLessThan(0);
    expect(shrink422(0, 2, 64, 4)).toBeLessThan(0);
    expect(shrink422(128 * 71, 1, 64, 4)).toBeLessThan(0);
    expect(shrink422(128 * 4, 1, 64, 4)).toBe(0);
  });

  test("the factor is whole, and leaves at least two rows and columns", () => {
    const size = (width: number, height: number) =>
      ({ format: "gray", width, height, planes: [] }) as PictureLayout;
    expect(factorFor(size(1280, 720), 640)).toBe(2);
    expect(factorFor(size(1280, 720), 639)).toBe(3);
    expect(factorFor(size(640, 480), 640)).toBe(1);
    expect(factorFor(size(65535, 3), 640)).toBe(1);
  });
});
