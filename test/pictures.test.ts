/**
 * To see these fail: in src/pictures/png.ts drop `subtractLeft` or walk it from the left; in src/pictures/pixels.ts swap
 * two indices of copyBgr or leave swapBytes a plain copy; in src/pictures/pictures.ts ignore `strides`;
 * in src/pictures/jpeg.ts take the maximum as white.
 */
import "./real-modules.ts";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PNG } from "pngjs";
import { encodeJpeg } from "../src/pictures/jpeg.ts";
import { pictureSize } from "../src/pictures/picture-size.ts";
import {
  NotAPicture,
  type PictureDescriptor,
  pictureOf,
  pixelFormatOf,
} from "../src/pictures/pictures.ts";
import type { PixelFormat } from "../src/pictures/pixels.ts";
import { encodePng } from "../src/pictures/png.ts";

const { default: jpegTurbo } = await import("@julusian/jpeg-turbo");

type Rgba = [red: number, green: number, blue: number, alpha: number];

const bytesOf = {
  rgb24: ([r, g, b]: Rgba) => [r, g, b],
  bgr24: ([r, g, b]: Rgba) => [b, g, r],
  rgba: ([r, g, b, a]: Rgba) => [r, g, b, a],
  bgra: ([r, g, b, a]: Rgba) => [b, g, r, a],
  bgr0: ([r, g, b]: Rgba) => [b, g, r, 77],
  gray: ([r]: Rgba) => [r],
} satisfies Partial<Record<PixelFormat, (pixel: Rgba) => number[]>>;

type PlainFormat = keyof typeof bytesOf;

function pixelAt(x: number, y: number): Rgba {
  return [(x * 7 + y) & 255, (y * 13) & 255, (x ^ y) & 255, 255 - ((x + y) & 127)];
}

function made(format: PlainFormat, width: number, height: number, gap = 0) {
  const bytes: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) bytes.push(...bytesOf[format](pixelAt(x, y)));
    for (let extra = 0; extra < gap; extra++) bytes.push(222);
  }
  const channels = bytesOf[format]([0, 0, 0, 0]).length;
  const shape = format === "gray" ? [height, width] : [height, width, channels];
  const strides = gap ? [width * channels + gap, channels, 1].slice(0, shape.length) : undefined;
  const descriptor = { kind: "video", dtype: "|u1", shape, strides, pixelFormat: format };
  return pictureOf(descriptor, { payload: Uint8Array.from(bytes), shape });
}

function expectedPng(format: PlainFormat, x: number, y: number): Rgba {
  const [r, g, b, a] = pixelAt(x, y);
  if (format === "gray") return [r, r, r, 255];
  return format.includes("a") ? [r, g, b, a] : [r, g, b, 255];
}

describe("PNG, read back by another decoder", () => {
  const formats = Object.keys(bytesOf) as PlainFormat[];

  test.each(formats)("%s keeps every pixel", async (format) => {
    const size = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(size, size, fc.integer({ min: 0, max: 3 }), async (width, height, gap) => {
        const png = PNG.sync.read(Buffer.from(await encodePng(made(format, width, height, gap))));
        expect([png.width, png.height]).toEqual([width, height]);
        for (let at = 0; at < width * height; at++) {
          const pixel = [...png.data.subarray(at * 4, at * 4 + 4)];
          expect(pixel).toEqual(expectedPng(format, at % width, Math.floor(at / width)));
        }
      }),
      { numRuns: 20 },
    );
  });

  test("a picture of many bands keeps its last row", async () => {
    const png = PNG.sync.read(Buffer.from(await encodePng(made("bgr24", 700, 500))));
    const last = (499 * 700 + 699) * 4;
    expect([...png.data.subarray(last, last + 4)]).toEqual(expectedPng("bgr24", 699, 499));
  });

  test("depth keeps its 16 bits", async () => {
    const depths = Uint16Array.from({ length: 12 }, (_, index) => index * 5000 + index);
    const payload = new Uint8Array(depths.buffer);
    const descriptor = { kind: "depth", dtype: "<u2", shape: [3, 4], pixelFormat: "gray16le" };
    const png = await encodePng(pictureOf(descriptor, { payload, shape: [3, 4] }));
    const read = PNG.sync.read(Buffer.from(png), { skipRescale: true });
    expect((read as unknown as { depth: number }).depth).toBe(16);
    const gray = new Uint16Array(read.data.buffer, read.data.byteOffset, 48);
    expect([...gray].filter((_, index) => index % 4 === 0)).toEqual([...depths]);
  });
});

describe("JPEG, read back", () => {
  const plain = Object.keys(bytesOf).filter((format) => format !== "gray") as PlainFormat[];

  test.each(plain)("%s has its colours in their places", async (format) => {
    const pixel = Uint8Array.from(bytesOf[format]([200, 100, 30, 255]));
    const payload = new Uint8Array(32 * 32 * pixel.length);
    for (let at = 0; at < payload.length; at += pixel.length) payload.set(pixel, at);
    const shape = [32, 32, pixel.length];
    const descriptor = { kind: "video", dtype: "|u1", shape, pixelFormat: format };
    near(await decoded(pictureOf(descriptor, { payload, shape })), [200, 100, 30]);
  });

  const yuvShapes = {
    nv12: [48, 32],
    yuv420p: [48, 32],
    uyvy422: [32, 32, 2],
    p216le: [2, 32, 32],
  } as const;
  type YuvFormat = keyof typeof yuvShapes;

  test.each(Object.keys(yuvShapes) as YuvFormat[])("%s is converted", async (format) => {
    const [y, u, v] = [120, 80, 180];
    const payload = yuvBytes(format, [y, u, v]);
    const shape = yuvShapes[format];
    const descriptor = { kind: "video", dtype: "|u1", shape, pixelFormat: format };
    const picture = pictureOf(descriptor, { payload, shape });
    expect([picture.width, picture.height]).toEqual([32, 32]);
    // 120, 80, 180 in BT.601, and in BT.709.
    near(await decoded(picture), shape.length === 2 ? [204, 98, 24] : [214, 104, 20]);
  });

  test("one wild depth does not turn the rest black, and no depth stays black", async () => {
    const depths = new Uint16Array(32 * 32).fill(1000);
    depths.fill(0, 512);
    depths[0] = 65535;
    const payload = new Uint8Array(depths.buffer);
    const descriptor = { kind: "depth", dtype: "<u2", shape: [32, 32] };
    const picture = pictureOf(descriptor, { payload, shape: [32, 32] });
    const { data } = jpegTurbo.decompressSync(Buffer.from(await encodeJpeg(picture)), {
      format: jpegTurbo.FORMAT_GRAY,
    });
    expect(data[10 * 32 + 5]).toBeGreaterThan(240);
    expect(data[30 * 32 + 5]).toBeLessThan(15);
  });

  async function decoded(picture: Parameters<typeof encodeJpeg>[0]) {
    const jpeg = Buffer.from(await encodeJpeg(picture));
    const { data } = jpegTurbo.decompressSync(jpeg, { format: jpegTurbo.FORMAT_RGB });
    return [...data.subarray(16 * 32 * 3, 16 * 32 * 3 + 3)];
  }

  function near(pixel: number[], expected: number[]) {
    for (const [channel, value] of expected.entries()) {
      expect(Math.abs((pixel[channel] as number) - value)).toBeLessThan(6);
    }
  }

  function yuvBytes(format: YuvFormat, [y, u, v]: [number, number, number]) {
    if (format === "p216le") {
      const low = 99;
      return new Uint8Array(2 * 32 * 32 * 2).map((_, at) => {
        const chroma = at % 4 < 2 ? u : v;
        return at % 2 === 0 ? low : at < 2048 ? y : chroma;
      });
    }
    const bytes = new Uint8Array(format === "uyvy422" ? 32 * 32 * 2 : 32 * 48);
    if (format === "uyvy422") return bytes.map((_, at) => [u, y, v, y][at % 4] as number);
    bytes.fill(y, 0, 1024);
    if (format === "yuv420p") return bytes.fill(u, 1024, 1280).fill(v, 1280);
    return bytes.map((value, at) => (at < 1024 ? value : at % 2 ? v : u));
  }
});

describe("what is a picture", () => {
  const video = (shape: number[]): PictureDescriptor => ({ kind: "video", dtype: "|u1", shape });

  test("a format that is not stated is guessed as a camera in Python gives it", () => {
    expect(pixelFormatOf(video([4, 4, 3]))).toBe("bgr24");
    expect(pixelFormatOf(video([4, 4]))).toBe("gray");
    expect(pixelFormatOf({ kind: "depth", dtype: "<u2", shape: [4, 4] })).toBe("gray16le");
    expect(pixelFormatOf({ kind: "tensor", dtype: "|u1", shape: [4, 4, 3] })).toBeNull();
    expect(pixelFormatOf({ ...video([4, 4, 3]), dtype: [["a", "|u1"]] })).toBeNull();
  });

  // To see it fail: in src/pictures/picture-size.ts leave out a line of planes.
  test("planes below each other are no part of its size", () => {
    const size = { width: 1280, height: 720 };
    expect(pictureSize("nv12", [1080, 1280])).toEqual(size);
    expect(pictureSize("yuv420p", [1080, 1280])).toEqual(size);
    expect(pictureSize("p216le", [2, 720, 1280])).toEqual(size);
    expect(pictureSize(undefined, [720, 1280, 3])).toEqual(size);
  });

  test("a frame's own shape decides its size", () => {
    const payload = new Uint8Array(2 * 3 * 3);
    const { width, height } = pictureOf(video([8, 8, 3]), { payload, shape: [2, 3, 3] });
    expect([width, height]).toEqual([3, 2]);
  });

  test.each<[string, PictureDescriptor, number[], RegExp]>([
    ["too few bytes", video([8, 8, 3]), [8, 8, 3], /needs 192 B, this frame has 18 B/],
    ["no pixels", video([0, 8, 3]), [0, 8, 3], /8 x 0/],
    ["an unknown format", { ...video([8, 8]), pixelFormat: "p010le" }, [8, 8], /"p010le".*bgr24/],
    ["no picture at all", { kind: "audio", dtype: "<f4", shape: [2, 4] }, [2, 4], /audio of/],
    ["odd planes", { ...video([5, 4]), pixelFormat: "nv12" }, [5, 4], /height \* 3 \/ 2/],
    ["one plane", { ...video([8, 4]), pixelFormat: "p216le" }, [1, 8, 4], /\(2, height, width\)/],
    ["an odd width", { ...video([2, 2, 3]), pixelFormat: "p216le" }, [2, 2, 3], /width even/],
    ["16 bits of 8", { ...video([2, 4, 2]), pixelFormat: "p216le" }, [2, 4, 2], /needs 32 B/],
    ["short rows", { ...video([2, 3, 3]), strides: [4, 3, 1] }, [2, 3, 3], /shorter than 3 pixels/],
  ])("%s is said in words", (_, descriptor, shape, words) => {
    const frame = { payload: new Uint8Array(18), shape };
    expect(() => pictureOf(descriptor, frame)).toThrow(NotAPicture);
    expect(() => pictureOf(descriptor, frame)).toThrow(words);
  });
});
