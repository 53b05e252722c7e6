/**
 * The loops of native/pixels.c, held to those in JavaScript for whatever lies in their input, and to their
 * bounds: bytes behind each target stay as they were, and too little of anything is said, not read.
 *
 * To see the second fail: take a check from pixels.c (the library is compiled anew by itself).
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  copyRows,
  tripleRows,
  unpackAb,
  unpackAbLuma,
  unpackDepth,
  unpackPngPlanes,
  unpackZdepth,
} from "../sensors/hololens/decoding/pixels.ts";
import {
  unpackAhatAb,
  unpackAhatAbLuma,
  unpackAhatDepth,
} from "../sensors/hololens/wire/ahat-picture.ts";
import { swapRedAndBlue } from "../sensors/hololens/wire/longthrow-payload.ts";
import { unfilterRows } from "../sensors/hololens/wire/png-filter.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { decodeCodes, dequantise, unpackZeroMap } from "../sensors/hololens/wire/zdepth-pixels.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { random } from "./hololens-wire-vectors.ts";

const guard = 64;
const mark = 0xa5;

/** Room for `bytes` and a strip behind it that nobody may write. */
function guarded(bytes: number) {
  const memory = new Uint8Array(bytes + guard).fill(mark);
  return {
    slot: memory.subarray(0, bytes),
    values: () => new Uint16Array(memory.slice(0, bytes).buffer),
    expectGuard: () => expect(memory.subarray(bytes).every((byte) => byte === mark)).toBe(true),
  };
}

const next = random(11);
const below = (limit: number) => Math.floor(next() * limit);
const sizes = Array.from({ length: 12 }, () => ({
  width: 4 * (1 + below(9)),
  height: 2 * (1 + below(8)),
}));

const withoutCompiler = process.env.STREAMEM_NO_COMPILER !== undefined;

// There a number that the engine holds as a double is no whole size: see `whole` in pixels.ts.
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

describe.each(sizes)("planes of $width x $height", (size) => {
  const { width, height } = size;
  const pixels = width * height;
  const stride = width + below(20);
  const plane = { data: noise(stride * height, pixels), stride };

  test("rows", () => {
    const [once, thrice] = [guarded(pixels), guarded(3 * pixels)];
    copyRows(plane, size, once.slot);
    tripleRows(plane, size, thrice.slot);
    for (let at = 0; at < pixels; at++) {
      const value = plane.data[Math.floor(at / width) * stride + (at % width)] as number;
      expect(once.slot[at]).toBe(value);
      expect([...thrice.slot.subarray(3 * at, 3 * at + 3)]).toEqual([value, value, value]);
    }
    once.expectGuard();
    thrice.expectGuard();
  });

  test("near depth and active brightness", () => {
    const half = { width: width / 2, height: height / 2 };
    const chroma = (seed: number) => {
      const its = half.width + below(9);
      return { data: noise(its * half.height, seed), stride: its };
    };
    const [u, v] = [chroma(1), chroma(2)];
    const loops = [
      [unpackDepth, (out: Uint16Array) => unpackAhatDepth(plane, size, out)],
      [unpackAbLuma, (out: Uint16Array) => unpackAhatAbLuma(plane, size, out)],
    ] as const;
    for (const [inC, inJavaScript] of loops) {
      const target = guarded(2 * pixels);
      const expected = new Uint16Array(pixels);
      inC(plane, size, target.slot);
      inJavaScript(expected);
      expect(target.values()).toEqual(expected);
      target.expectGuard();
    }
    const target = guarded(2 * pixels);
    const expected = new Uint16Array(pixels);
    unpackAb({ u, v }, size, target.slot);
    unpackAhatAb({ u, v }, size, expected);
    expect(target.values()).toEqual(expected);
    target.expectGuard();
  });

  test("too little of anything", () => {
    const short = { data: plane.data.subarray(0, stride * (height - 1) + width - 1), stride };
    const room = new Uint8Array(3 * pixels);
    const words = "too small";
    for (const loop of [copyRows, tripleRows, unpackDepth, unpackAbLuma]) {
      expect(() => loop(short, size, room)).toThrow(words);
      expect(() => loop({ ...plane, stride: width - 1 }, size, room)).toThrow(words);
      expect(() => loop({ ...plane, stride: 2 ** 40 }, size, room)).toThrow(words);
    }
    expect(() => copyRows(plane, size, room.subarray(0, pixels - 1))).toThrow(words);
    expect(() => tripleRows(plane, size, room.subarray(0, 3 * pixels - 1))).toThrow(words);
    expect(() => unpackDepth(plane, size, room.subarray(0, 2 * pixels - 1))).toThrow(words);
    const huge = { width: 0xffff_ffff, height: 0xffff_ffff };
    expect(() => copyRows({ ...plane, stride: 0xffff_ffff }, huge, room)).toThrow(words);
    expect(() =>
      unpackAb({ u: short, v: plane }, { width: 2 * width, height: 2 * height }, room),
    ).toThrow(words);
  });
});

const rounds = 20_000;

test(`Zdepth: ${rounds} images of any bytes`, () => {
  let whole = 0;
  for (let round = 0; round < rounds; round++) {
    const size = { width: 8 * (1 + below(4)), height: 8 * (1 + below(3)) };
    const pixels = size.width * size.height;
    // Sparse maps leave enough codes for some images, dense ones run out.
    const dense = next() < 0.5;
    const zeroMap = noise(pixels / 8, round).map((byte) => (dense ? byte : byte & 0x11));
    const predictors = noise((size.width / 8 - 1) * (size.height / 8 - 1), round + 1).map(
      (byte) => byte % 8,
    );
    const [edges, surfaces] = [0, 1].map((i) => noise(3 * below(pixels), round + 2 + i));
    const lists = {
      ...size,
      zeroMap,
      predictors,
      edges: edges as Uint8Array,
      surfaces: surfaces as Uint8Array,
    };
    const expected = inJavaScript(lists);
    const target = guarded(2 * pixels);
    let given: Uint16Array | null = null;
    try {
      unpackZdepth(lists, target.slot, "test");
      given = target.values();
    } catch (error) {
      if (!(error instanceof ProtocolError && error.kind === "frame")) throw error;
    }
    if (
      given === null ||
      expected === null ||
      Buffer.compare(Buffer.from(given.buffer), Buffer.from(expected.buffer)) !== 0
    ) {
      expect([round, given]).toEqual([round, expected]);
    }
    if (round % 100 === 0) target.expectGuard();
    if (given) whole += 1;
  }
  expect(whole).toBeGreaterThan(rounds / 20);
  expect(whole).toBeLessThan(rounds - rounds / 20);
});

function inJavaScript(lists: Parameters<typeof unpackZdepth>[0]): Uint16Array | null {
  const nonZero = new Uint8Array(lists.width * lists.height);
  const codes = new Uint16Array(nonZero.length);
  const codesIn = (bytes: Uint8Array) => ({ bytes, count: (bytes.length / 3) * 2 });
  unpackZeroMap(lists.zeroMap, nonZero);
  const { predictors, edges, surfaces } = lists;
  const parts = { nonZero, predictors, edges: codesIn(edges), surfaces: codesIn(surfaces) };
  if (!decodeCodes(lists, parts, codes)) return null;
  dequantise(codes);
  return codes;
}

test(`PNG rows: ${rounds} images of any bytes`, () => {
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const [width, height] = [1 + below(7), 1 + below(6)];
    const rows = noise((4 * width + 1) * height, round);
    for (let at = 0; at < rows.length; at += 4 * width + 1)
      rows[at] = (rows[at] as number) % (round % 3 === 0 ? 6 : 5);
    const rgba = new Uint8Array(4 * width * height);
    const allowed = unfilterRows(rows, { width, height }, rgba);
    swapRedAndBlue(rgba);
    const expected = new Uint16Array(rgba.buffer);
    const [depth, ab] = [guarded(2 * width * height), guarded(2 * width * height)];
    try {
      unpackPngPlanes({ rows, width, height }, { depth: depth.slot, ab: ab.slot }, "test");
      expect(Buffer.concat([depth.slot, ab.slot]).equals(Buffer.from(expected.buffer))).toBe(true);
      expect(allowed).toBe(true);
    } catch (error) {
      if (!(error instanceof ProtocolError && error.kind === "frame")) throw error;
      expect(allowed).toBe(false);
      refused += 1;
    }
    if (round % 100 !== 0) continue;
    depth.expectGuard();
    ab.expectGuard();
  }
  expect(refused).toBeGreaterThan(0);
});

test("lists and rows that are too short are said", () => {
  const size = { width: 16, height: 16 };
  const lists = { ...size, zeroMap: new Uint8Array(32), predictors: new Uint8Array(1) };
  const empty = { edges: new Uint8Array(0), surfaces: new Uint8Array(0) };
  const slot = new Uint8Array(512);
  unpackZdepth({ ...lists, ...empty }, slot, "test");
  const wrong = [
    { ...lists, ...empty, zeroMap: new Uint8Array(31) },
    { ...lists, ...empty, predictors: new Uint8Array(0) },
  ];
  for (const one of wrong) expect(() => unpackZdepth(one, slot, "test")).toThrow("too small");
  expect(() => unpackZdepth({ ...lists, ...empty }, slot.subarray(1), "test")).toThrow("too small");
  const rows = { width: 2, height: 2, rows: new Uint8Array(18) };
  const planes = { depth: new Uint8Array(8), ab: new Uint8Array(8) };
  unpackPngPlanes(rows, planes, "test");
  expect(() => unpackPngPlanes({ ...rows, rows: rows.rows.subarray(1) }, planes, "test")).toThrow(
    "too small",
  );
  expect(() => unpackPngPlanes(rows, { ...planes, ab: new Uint8Array(7) }, "test")).toThrow(
    "too small",
  );
});
