/**
 * What the page makes of a frame's bytes (src/web/decode.ts) and how it says numbers (src/web/words.ts). To see
 * these fail: take the first row instead of the last, swap the two cases of `channelAxis`, ignore `little`.
 */
import { describe, expect, test } from "bun:test";
import { decibelFloor, decibels, levels, newestValues } from "../src/web/decode.ts";
import { ageWords, bytesWords, rateWords, typeWords, valueWords } from "../src/web/words.ts";

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

describe("values", () => {
  test("of many samples in a frame the last", () => {
    const samples = bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(newestValues(samples, "<f4", [2, 3], 24)).toEqual([
      { name: "[0]", value: 4 },
      { name: "[1]", value: 5 },
      { name: "[2]", value: 6 },
    ]);
  });

  test("of the last record its members, 64 bits whole", () => {
    const bytes = new Uint8Array(2 * 14);
    const view = new DataView(bytes.buffer);
    view.setBigInt64(14, -(2n ** 60n), true);
    view.setUint16(22, 7, true);
    view.setUint16(24, 8, false);
    const dtype: [string, string][] = [
      ["time", "<i8"],
      ["id", "<u2"],
      ["big", ">u2"],
      ["text", "|S2"],
    ];
    expect(newestValues(bytes, dtype, [2], 3)).toEqual([
      { name: "time", value: -(2n ** 60n) },
      { name: "id", value: 7 },
      { name: "big", value: 8 },
    ]);
    expect(newestValues(bytes, dtype, [2], 9).at(-1)).toEqual({ name: "text", value: "…" });
  });

  test("of what is too short, or of no known type: none", () => {
    expect(newestValues(new Uint8Array(3), [["a", "<f4"]], [1], 9)).toEqual([]);
    expect(newestValues(new Uint8Array(8), "<c8", [1], 9)).toEqual([]);
    expect(newestValues(new Uint8Array(0), "<f4", [4], 9)).toEqual([]);
  });
});

describe("levels", () => {
  test("by channel, planar and interleaved", () => {
    const planar = bytesOf(Float32Array.of(0.5, -0.5, 1, 0));
    expect(levels(planar, "<f4", [2, 2], 0)).toEqual([
      { rms: 0.5, peak: 0.5 },
      { rms: Math.SQRT1_2, peak: 1 },
    ]);
    const interleaved = bytesOf(Float32Array.of(0.5, 1, -0.5, 0));
    expect(levels(interleaved, "<f4", [2, 2], 1)).toEqual(levels(planar, "<f4", [2, 2], 0));
  });

  test("of integers against their full scale", () => {
    const [level] = levels(bytesOf(Int16Array.of(-32768, 0)), "<i2", [2], 0);
    expect(level?.peak).toBe(1);
  });

  test("in decibels, silence at the floor", () => {
    expect(decibels(1)).toBe(0);
    expect(decibels(0.1)).toBeCloseTo(-20, 9);
    expect([decibels(0), decibels(1e-9)]).toEqual([decibelFloor, decibelFloor]);
  });
});

test.each([
  [typeWords("|u1"), "uint8"],
  [typeWords("<f4"), "float32"],
  [typeWords([["a", "<f4"]]), "record of 1"],
  [rateWords(null), "–"],
  [rateWords(29.97), "30.0/s"],
  [rateWords(0.25), "0.25/s"],
  [rateWords(0), "0.0/s"],
  [bytesWords(0), "0 B"],
  [bytesWords(999), "999 B"],
  [bytesWords(82_944_000), "82.9 MB"],
  [bytesWords(5e12), "5000 GB"],
  [ageWords(null), "–"],
  [ageWords("17000000"), "17 ms"],
  [ageWords("2500000000"), "2.5 s"],
  [ageWords("125000000000"), "2 min"],
  [valueWords(3), "3"],
  [valueWords(2n ** 60n), "1152921504606846976"],
  [valueWords(-9.81), "-9.81000"],
  [valueWords(1e-9), "1.000e-9"],
])("%s", (words, expected) => {
  expect(words).toBe(expected);
});
