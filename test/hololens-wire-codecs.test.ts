// Vectors of codecs in which pixels are numbers: far depth's PNG, near depth's picture, Zdepth.
import { describe, expect, test } from "bun:test";
import { PNG } from "pngjs";
import {
  packAhatAbNv12,
  packAhatNv12,
  unpackAhatAb,
  unpackAhatAbLuma,
  unpackAhatAbNv12,
  unpackAhatDepth,
  withoutInvalidDepth,
} from "../sensors/hololens/wire/ahat-picture.ts";
import {
  decodeLongthrow,
  encodeLongthrow,
  swapRedAndBlue,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import { decodeRgbaPng } from "../sensors/hololens/wire/rgba-png.ts";
import { decodeZdepth, encodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import type { Holds } from "./hololens-wire-hold.ts";
import {
  byRule,
  bytesOf,
  hexOf,
  random,
  sha256Of,
  type Vector,
  vectorsOf,
} from "./hololens-wire-vectors.ts";

function holdZdepth(one: Vector): void {
  const { width, height, input, decoded } = one.fields;
  const pixels = decodeZdepth(bytesOf(one), { expected: { width, height }, where: one.name });
  expect([...pixels]).toEqual(decoded.flat());
  // Encoders may differ in the predictors, not in the pixels.
  const again = encodeZdepth(Uint16Array.from(input.flat()), { width, height, frame: 1 });
  expect(decodeZdepth(again, { expected: { width, height }, where: one.name })).toEqual(pixels);
}

/** Planes of an image whose rows lie without padding, of half its size each way in chroma. */
function planesOf(bytes: Uint8Array, { width, height }: { width: number; height: number }) {
  const pixels = width * height;
  return {
    y: { data: bytes.subarray(0, pixels), stride: width },
    u: { data: bytes.subarray(pixels, pixels * 1.25), stride: width / 2 },
    v: { data: bytes.subarray(pixels * 1.25), stride: width / 2 },
    uv: { data: bytes.subarray(pixels), stride: width },
  };
}

const holds: Holds = {
  "codec/rm_depth_longthrow/png_4x2"(one) {
    const { width, height, depth, ab, fileRGBA, memoryBGRA } = one.fields;
    const png = bytesOf(one);
    const { rgba } = decodeRgbaPng(png, { largest: { width: 320, height: 288 }, where: one.name });
    expect(hexOf(rgba)).toBe(fileRGBA);
    swapRedAndBlue(rgba);
    expect(hexOf(rgba)).toBe(memoryBGRA);
    const image = decodeLongthrow(png, one.name);
    expect([[...image.depth], [...image.ab]]).toEqual([depth.flat(), ab.flat()]);
    expect([image.width, image.height]).toEqual([width, height]);
    expect(decodeLongthrow(encodeLongthrow(image), one.name)).toEqual(image);
  },

  "codec/rm_depth_longthrow/full_320x288_planes"(one) {
    const size = { width: 320, height: 288 };
    const image = {
      ...size,
      depth: byRule(size, (r, c) => (7 * r + 3 * c) % 4001),
      ab: byRule(size, (r, c) => (r * c + 11 * r) & 65535),
    };
    for (let filter = 0; filter <= 6; filter++) {
      const decoded = decodeLongthrow(encodeLongthrow(image, filter), one.name);
      expect(decoded).toEqual(image);
      const planes = new Uint8Array(decoded.depth.buffer);
      expect(sha256Of(planes)).toBe(one.fields.memoryBGRA_sha256);
      expect(planes.byteLength).toBe(one.bytes);
    }
  },

  "codec/rm_depth_ahat/yuv420_unpack_8x4"(one) {
    const { width, height, depth, ab } = one.fields;
    const size = { width, height };
    const { y, u, v } = planesOf(bytesOf(one), size);
    const depthOut = new Uint16Array(width * height);
    unpackAhatDepth(y, size, depthOut);
    expect([...depthOut]).toEqual(depth.flat());
    const abOut = new Uint16Array(width * height);
    unpackAhatAb({ u, v }, size, abOut);
    expect([...abOut]).toEqual(ab.flat());
  },

  "codec/rm_depth_ahat/pack_8x4_nv12"(one) {
    const { width, height, depthIn, abIn } = one.fields;
    const size = { width, height };
    const depth = Uint16Array.from(depthIn.flat());
    const ab = Uint16Array.from(abIn.flat());
    const picture = packAhatNv12({ depth, ab }, size);
    expect(hexOf(picture)).toBe(hexOf(bytesOf(one)));
    const { y, uv } = planesOf(picture, size);
    const depthOut = new Uint16Array(width * height);
    unpackAhatDepth(y, size, depthOut);
    expect([...depthOut]).toEqual(one.fields.depthOutAfterClientUnpack.flat());
    const abOut = new Uint16Array(width * height);
    unpackAhatAbNv12(uv, size, abOut);
    expect([...abOut]).toEqual(one.fields.abOutAfterClientUnpack.flat());
  },

  "codec/zdepth/ramp_24x16": holdZdepth,
  "codec/zdepth/holes_24x16": holdZdepth,
  "codec/zdepth/far_24x16": holdZdepth,
};

test.each(vectorsOf("codecs").map((one) => [one.name, one] as const))("%s", async (name, one) => {
  const hold = holds[name];
  if (!hold) throw new Error(`nothing holds ${name}`);
  await hold(one);
});

describe("near depth's picture", () => {
  const size = { width: 512, height: 512 };

  test("padding at the end of rows is no data", () => {
    const next = random(1);
    const picture = Uint8Array.from({ length: 64 * 48 }, () => next() * 256);
    const small = { width: 64, height: 32 };
    const { y, u, v, uv } = planesOf(picture, small);
    const padded = ({ data, stride }: typeof y) => {
      const rows = data.length / stride;
      const wide = new Uint8Array((stride + 24) * rows).fill(0xee);
      for (let row = 0; row < rows; row++) {
        wide.set(data.subarray(row * stride, (row + 1) * stride), row * (stride + 24));
      }
      return { data: wide, stride: stride + 24 };
    };
    const both = (unpack: (out: Uint16Array, pad: (plane: typeof y) => typeof y) => void) => {
      const [tight, wide] = [new Uint16Array(64 * 32), new Uint16Array(64 * 32)];
      unpack(tight, (plane) => plane);
      unpack(wide, padded);
      expect(wide).toEqual(tight);
    };
    both((out, pad) => unpackAhatDepth(pad(y), small, out));
    both((out, pad) => unpackAhatAbLuma(pad(y), small, out));
    both((out, pad) => unpackAhatAb({ u: pad(u), v: pad(v) }, small, out));
    both((out, pad) => unpackAhatAbNv12(pad(uv), small, out));
  });

  test("both orders of chroma give the same", () => {
    const ab = byRule(size, (row, column) => (row * 131 + column * 17) & 65535);
    const { uv } = planesOf(packAhatNv12({ depth: ab, ab }, size), size);
    const half = uv.data.length / 2;
    const plane = (odd: number) => ({
      data: Uint8Array.from({ length: half }, (_, i) => uv.data[2 * i + odd] as number),
      stride: 256,
    });
    const [interleaved, planar] = [new Uint16Array(512 * 512), new Uint16Array(512 * 512)];
    unpackAhatAbNv12(uv, size, interleaved);
    unpackAhatAb({ u: plane(0), v: plane(1) }, size, planar);
    expect(planar).toEqual(interleaved);
    // Every other pixel survives, as the square of its root's whole part.
    const [first, third] = [ab[2 * 5000] as number, interleaved[2 * 5000] as number];
    expect(Math.abs(Math.sqrt(third) - Math.sqrt(first))).toBeLessThan(1);
  });

  test("with Zdepth each pixel has a root of its own", () => {
    const ab = byRule(size, (row, column) => row * column);
    const picture = packAhatAbNv12(ab);
    expect(picture.length).toBe(512 * 768);
    expect(new Set(picture.subarray(512 * 512))).toEqual(new Set([128]));
    const out = new Uint16Array(ab.length);
    unpackAhatAbLuma({ data: picture, stride: 512 }, size, out);
    expect(out[512 * 100 + 144]).toBe(120 ** 2);
    expect(packAhatAbNv12(Uint16Array.of(65535, 65520, 65519, 0)).subarray(0, 4)).toEqual(
      Uint8Array.of(255, 255, 255, 0),
    );
  });

  test("depth from 4090 on is none", () => {
    expect([...withoutInvalidDepth(Uint16Array.of(0, 4089, 4090, 65535))]).toEqual([0, 4089, 0, 0]);
  });
});

describe("Zdepth", () => {
  const size = { width: 64, height: 40 };
  const blocks = 7 * 4;
  const where = { expected: size, where: "zdepth" };

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 255])("predictor %d", (predictor) => {
    const next = random(predictor);
    // A slope with holes and noise: every branch of each predictor is taken.
    const depth = byRule(size, (row, column) =>
      next() < 0.2 ? 0 : 300 + 5 * row + 3 * column + Math.floor(next() * 20),
    );
    const predictors = new Uint8Array(blocks).fill(predictor);
    const encoded = encodeZdepth(depth, { ...size, frame: 1, predictors });
    expect(decodeZdepth(encoded, where)).toEqual(depth.map((d) => (d < 750 ? d : d & ~1)));
  });

  test("quantisation over all depths", () => {
    // As the table of the protocol has it: what was given, what comes back.
    const edges: [number, number][] = [
      ...([
        [0, 0],
        [200, 0],
        [201, 201],
        [749, 749],
        [750, 750],
        [751, 750],
      ] as [number, number][]),
      ...([
        [1499, 1498],
        [1500, 1500],
        [1503, 1500],
        [2999, 2996],
        [3000, 3000],
      ] as [number, number][]),
      ...([
        [5999, 5992],
        [6000, 6000],
        [11839, 11824],
        [11840, 0],
        [65535, 0],
      ] as [number, number][]),
    ];
    const depth = new Uint16Array(size.width * size.height);
    depth.set(edges.map(([given]) => given));
    const decoded = decodeZdepth(encodeZdepth(depth, { ...size, frame: 1 }), where);
    expect([...decoded.subarray(0, edges.length)]).toEqual(edges.map(([, back]) => back));
  });

  test("sizes are looked at before anything is unpacked", () => {
    const encoded = encodeZdepth(
      byRule(size, () => 300),
      { ...size, frame: 1 },
    );
    const changed = (at: number, ...bytes: number[]) => {
      const copy = encoded.slice();
      copy.set(bytes, at);
      return () => decodeZdepth(copy, where);
    };
    expect(changed(0, 0xcb)).toThrow("Zdepth mark 203");
    expect(changed(1, 0)).toThrow("no key frame");
    expect(changed(4, 0, 16)).toThrow("Zdepth of 4096x40; allowed: 64x40");
    expect(changed(8, 0xff, 0xff, 0xff, 0xff)).toThrow("a zero map of 4294967295 bytes");
    expect(changed(16, 0)).toThrow("0 predictors; allowed: 28");
    expect(changed(24, 0xfd, 0xff, 0xff, 0xff)).toThrow("together 3846");
    expect(changed(36, 0xff)).toThrow("parts of");
    expect(() => decodeZdepth(encoded.subarray(0, 39), where)).toThrow("Zdepth of 39 bytes");
    expect(() => encodeZdepth(new Uint16Array(256), { width: 16, height: 16, frame: 1 })).toThrow(
      "24x16",
    );
  });
});

test("pictures of random numbers survive PNG with every filter", () => {
  const next = random(7);
  const noise = () => Uint16Array.from({ length: 24 * 18 }, () => next() * 65536);
  const image = { width: 24, height: 18, depth: noise(), ab: noise() };
  for (let filter = 0; filter <= 6; filter++) {
    expect(decodeLongthrow(encodeLongthrow(image, filter), "test")).toEqual(image);
  }
});

test("a PNG of another library is read alike", () => {
  const next = random(11);
  const png = new PNG({ width: 33, height: 21 });
  for (let i = 0; i < png.data.length; i++) png.data[i] = (i * 3 + next() * 5) & 255;
  for (const filterType of [0, 1, 2, 3, 4, -1]) {
    const file = PNG.sync.write(png, { filterType: filterType as 0, colorType: 6 });
    const { rgba } = decodeRgbaPng(file, { largest: { width: 320, height: 288 }, where: "test" });
    expect(Buffer.compare(rgba, png.data)).toBe(0);
  }
});
