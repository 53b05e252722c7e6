/** Small pictures straight from a ring's file (native/shrink.c): the frame itself is never copied whole. */

import { lib } from "../ring/ffi.ts";
import { LayoutError } from "../ring/layout.ts";
import type { PictureLayout } from "./pictures.ts";

/** Where a frame's payload lies. */
export interface Place {
  fd: number;
  offset: number;
}

/** Samples of 8 bits without gaps. `samples` says which: G grey, else the order of colours. */
export interface SmallPicture {
  samples: "GRAY" | "RGB" | "BGR" | "RGBA" | "BGRA";
  width: number;
  height: number;
  pixels: Buffer;
}

const packed = {
  gray: { samples: "GRAY", count: 1 },
  rgb24: { samples: "RGB", count: 3 },
  bgr24: { samples: "BGR", count: 3 },
  rgba: { samples: "RGBA", count: 4 },
  bgra: { samples: "BGRA", count: 4 },
  // A JPEG has no alpha: whatever stands there.
  bgr0: { samples: "BGRA", count: 4 },
} as const;

/** The whole factor by which a picture gets at most `maxWidth` wide, where it is high enough for that. */
export function factorFor({ width, height }: PictureLayout, maxWidth: number): number {
  const most = Math.max(1, Math.floor(Math.min(width, height) / 2));
  return Math.min(Math.ceil(width / maxWidth), most, 256);
}

/** Memory for the pixels of one picture after the other. */
export class Shrinker {
  #pixels = Buffer.alloc(0);
  #planes = Buffer.alloc(0);

  /**
   * Means of boxes of `factor` x `factor` pixels; what does not fill a box at the right and the bottom is left out. The pixels are
   * overwritten by the next call. Throws LayoutError where the file was cut short.
   */
  shrink(layout: PictureLayout, place: Place, factor: number): SmallPicture {
    const { format } = layout;
    const size = {
      width: Math.floor(layout.width / factor),
      height: Math.floor(layout.height / factor),
    };
    if (format === "gray16le") throw new TypeError("pixels of 16 bits are picked, not averaged");
    if (format === "uyvy422" || format === "p216le") {
      return { samples: "RGB", ...size, pixels: this.#yuv422(layout, place, factor) };
    }
    if (format === "nv12" || format === "yuv420p") {
      return { samples: "RGB", ...size, pixels: this.#yuv(layout, place, factor) };
    }
    const { samples, count } = packed[format];
    const pixels = this.#room(size.width * size.height * count);
    shrinkPlane(pixels, layout, place, { plane: 0, count, factor });
    return { samples, ...size, pixels };
  }

  /** One 16-bit pixel of each box as it is, little-endian, in memory of its own. */
  pick(layout: PictureLayout, place: Place, factor: number): Uint8Array {
    const { width, height } = layout;
    const pixels = new Uint8Array(Math.floor(width / factor) * Math.floor(height / factor) * 2);
    const from = rowsOf(layout, place, 0);
    check(lib.streamem_pick_16(pixels, pixels.length, ...from, whole(factor)));
    return pixels;
  }

  #room(bytes: number): Buffer {
    if (this.#pixels.length < bytes) this.#pixels = Buffer.alloc(bytes);
    return this.#pixels.subarray(0, bytes);
  }

  #yuv422(layout: PictureLayout, place: Place, factor: number): Buffer {
    const pixels = this.#room(
      Math.floor(layout.width / factor) * Math.floor(layout.height / factor) * 3,
    );
    const [fd, offset, ...rows] = rowsOf(layout, place, 0);
    const chroma = layout.planes.at(-1) as { offset: number }; // uyvy422 has one plane for both
    const chromaOffset = BigInt(place.offset + chroma.offset);
    const chromaByte = layout.format === "p216le" ? 1 : 0;
    check(
      lib.streamem_shrink_422(
        ...([pixels, pixels.length, fd, offset, chromaOffset, chromaByte] as const),
        ...rows,
        whole(factor),
      ),
    );
    return pixels;
  }

  /** Each plane by the same factor: their sizes stay two to one. */
  #yuv(layout: PictureLayout, place: Place, factor: number): Buffer {
    const [width, height] = [Math.floor(layout.width / factor), Math.floor(layout.height / factor)];
    const half = { ...layout, width: layout.width / 2, height: layout.height / 2 };
    const [chromaWidth, chromaHeight] = [
      Math.max(1, Math.floor(half.width / factor)),
      Math.max(1, Math.floor(half.height / factor)),
    ];
    const quarter = chromaWidth * chromaHeight;
    if (this.#planes.length < width * height + 2 * quarter) {
      this.#planes = Buffer.alloc(width * height + 2 * quarter);
    }
    const luma = this.#planes.subarray(0, width * height);
    const chroma = this.#planes.subarray(width * height, width * height + 2 * quarter);
    const interleaved = layout.format === "nv12";
    shrinkPlane(luma, layout, place, { plane: 0, count: 1, factor });
    if (interleaved) shrinkPlane(chroma, half, place, { plane: 1, count: 2, factor });
    else {
      shrinkPlane(chroma, half, place, { plane: 1, count: 1, factor });
      shrinkPlane(chroma.subarray(quarter), half, place, { plane: 2, count: 1, factor });
    }
    const pixels = this.#room(width * height * 3);
    const v = chroma.subarray(interleaved ? 1 : quarter);
    const step = interleaved ? 2 : 1;
    const planes = [luma, luma.length, chroma, v, v.length, whole(step)] as const;
    check(
      lib.streamem_yuv_to_rgb(
        pixels,
        pixels.length,
        ...planes,
        ...([width, height, chromaWidth, chromaHeight].map(whole) as [
          number,
          number,
          number,
          number,
        ]),
      ),
    );
    return pixels;
  }
}

interface WhichPlane {
  plane: number;
  /** Samples of a pixel. */
  count: number;
  factor: number;
}

function shrinkPlane(
  target: Buffer,
  layout: PictureLayout,
  place: Place,
  { plane, count, factor }: WhichPlane,
): void {
  const from = rowsOf(layout, place, plane);
  check(lib.streamem_shrink(target, target.length, ...from, whole(count), whole(factor)));
}

/** Where a plane's rows lie, in the order of the C functions: file, offset, stride, width, height. */
function rowsOf({ width, height, planes }: PictureLayout, place: Place, plane: number) {
  const { offset, stride } = planes[plane] as { offset: number; stride: number };
  return [
    whole(place.fd),
    BigInt(place.offset + offset),
    BigInt(stride),
    whole(width),
    whole(height),
  ] as const;
}

function check(result: number): void {
  if (result < 0) throw new LayoutError("the ring was truncated while a picture was read");
}

/**
 * For a 32-bit argument: without a C compiler Bun's own makes the calls, and a number that the engine holds as a double arrives
 * as another one. Those of 64 bits are given as bigint for the same reason.
 */
function whole(size: number): number {
  return size | 0;
}
