/** JPEG from a picture, on a thread of libjpeg-turbo's wrapper; what it cannot read is made RGB before. */

import { type Picture, type PixelFormat, type Plane, pixelRows } from "./pixels.ts";
import type { SmallPicture } from "./shrink.ts";

const quality = 80;
/** Of pictures that are seen for a thirtieth of a second. */
const previewQuality = 70;
const rowsPerTurn = 64;

/** Loaded at the first picture: a hub that nobody looks at, or without this binary, runs all the same. */
const library = () => import("@julusian/jpeg-turbo");

type Samples = "GRAY" | "RGB" | "BGR" | "RGBA" | "BGRA";

const readDirectly: Partial<Record<PixelFormat, { samples: Samples; pixelBytes: number }>> = {
  gray: { samples: "GRAY", pixelBytes: 1 },
  rgb24: { samples: "RGB", pixelBytes: 3 },
  bgr24: { samples: "BGR", pixelBytes: 3 },
  rgba: { samples: "RGBA", pixelBytes: 4 },
  bgra: { samples: "BGRA", pixelBytes: 4 },
  bgr0: { samples: "BGRA", pixelBytes: 4 },
};

/** Memory for one encoded picture after the other, and the encoder. */
export class SmallJpegs {
  #room = Buffer.alloc(0);

  /** On a thread of the library. The bytes are overwritten by the next call; one call at a time. */
  async encode({ samples, width, height, pixels }: SmallPicture): Promise<Uint8Array> {
    const turbo = (await library()).default;
    const subsampling = samples === "GRAY" ? turbo.SAMP_GRAY : turbo.SAMP_420;
    const bytes = turbo.bufferSize({ width, height, subsampling });
    if (this.#room.length < bytes) this.#room = Buffer.alloc(bytes);
    const format = turbo[`FORMAT_${samples}`];
    return turbo.compress(pixels, this.#room, {
      format,
      width,
      height,
      subsampling,
      quality: previewQuality,
    });
  }
}

export async function encodeJpeg(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const turbo = (await library()).default;
  const { samples, pixels } = await pixelsOf(picture);
  const { width, height } = picture;
  const format = turbo[`FORMAT_${samples}`];
  const subsampling = samples === "GRAY" ? turbo.SAMP_GRAY : turbo.SAMP_420;
  const jpeg = await turbo.compress(pixels, { format, width, height, subsampling, quality });
  // A copy: the library returns a slice of its worst-case buffer, which the cache would keep alive.
  return new Uint8Array(jpeg);
}

async function pixelsOf(picture: Picture): Promise<{ samples: Samples; pixels: Buffer }> {
  if (picture.format === "gray16le") return { samples: "GRAY", pixels: await scaledDepth(picture) };
  const direct = readDirectly[picture.format];
  if (!direct) return { samples: "RGB", pixels: await converted(picture) };
  return { samples: direct.samples, pixels: withoutGaps(picture, direct.pixelBytes) };
}

function withoutGaps({ width, height, planes }: Picture, pixelBytes: number): Buffer {
  const { bytes, stride } = planes[0] as Plane;
  const rowBytes = width * pixelBytes;
  if (stride === rowBytes) return Buffer.from(bytes.buffer, bytes.byteOffset, height * rowBytes);
  const pixels = Buffer.allocUnsafe(height * rowBytes);
  for (let y = 0; y < height; y++) {
    pixels.set(bytes.subarray(y * stride, y * stride + rowBytes), y * rowBytes);
  }
  return pixels;
}

async function converted(picture: Picture): Promise<Buffer> {
  const rows = pixelRows(picture.format);
  const pixels = Buffer.allocUnsafe(picture.width * picture.height * 3);
  await eachRow(picture, (y) => rows.write(picture, y, pixels, y * picture.width * 3));
  return pixels;
}

/**
 * Black stays "no depth". White is the depth that one pixel in 200 exceeds, not the farthest one:
 * a single wild pixel would turn the rest black.
 */
async function scaledDepth(picture: Picture): Promise<Buffer> {
  const { width, height, planes } = picture;
  const { bytes, stride } = planes[0] as Plane;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const depths = new Uint16Array(width * height);
  const counts = new Uint32Array(65536);
  await eachRow(picture, (y) => {
    for (let x = 0; x < width; x++) {
      const depth = view.getUint16(y * stride + x * 2, true);
      depths[y * width + x] = depth;
      counts[depth] = (counts[depth] as number) + 1;
    }
  });
  const white = depthExceededBy(counts, depths.length / 200);
  const pixels = Buffer.allocUnsafe(depths.length);
  await eachRow(picture, (y) => {
    for (let at = y * width; at < (y + 1) * width; at++) {
      pixels[at] = Math.min(255, ((depths[at] as number) * 255) / white);
    }
  });
  return pixels;
}

/** Lets other requests run in between. */
async function eachRow({ height }: Picture, work: (y: number) => void): Promise<void> {
  for (let y = 0; y < height; y++) {
    work(y);
    if (y % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function depthExceededBy(counts: Uint32Array, pixels: number): number {
  let above = 0;
  for (let depth = counts.length - 1; depth > 0; depth--) {
    above += counts[depth] as number;
    if (above > pixels) return depth;
  }
  return 1;
}
