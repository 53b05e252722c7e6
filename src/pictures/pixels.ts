/** Pixel formats by their FFmpeg names, and their rows in the samples that a PNG stores. */

export interface Plane {
  bytes: Uint8Array;
  /** Bytes from one row to the next. */
  stride: number;
}

export interface Picture {
  format: PixelFormat;
  width: number;
  height: number;
  planes: Plane[];
}

/** Rows of one picture in the samples that PNG stores: gray, big-endian gray, RGB or RGBA. */
export interface PixelRows {
  samples: "gray" | "gray16" | "rgb" | "rgba";
  /** Writes row `y` to `out` from `at` on. */
  write(picture: Picture, y: number, out: Uint8Array, at: number): void;
}

interface Packing {
  bytesPerPixel: number;
  rows: PixelRows;
}

const packed = {
  gray: { bytesPerPixel: 1, rows: { samples: "gray", write: copyGray } },
  gray16le: { bytesPerPixel: 2, rows: { samples: "gray16", write: swapBytes } },
  rgb24: { bytesPerPixel: 3, rows: { samples: "rgb", write: copyRgb } },
  bgr24: { bytesPerPixel: 3, rows: { samples: "rgb", write: copyBgr } },
  rgba: { bytesPerPixel: 4, rows: { samples: "rgba", write: copyRgba } },
  bgra: { bytesPerPixel: 4, rows: { samples: "rgba", write: copyBgra } },
  bgr0: { bytesPerPixel: 4, rows: { samples: "rgb", write: copyBgr0 } },
  uyvy422: { bytesPerPixel: 2, rows: { samples: "rgb", write: convertUyvy } },
} as const satisfies Record<string, Packing>;

const planar = {
  nv12: { samples: "rgb", write: convertNv12 },
  yuv420p: { samples: "rgb", write: convertYuv420p },
  p216le: { samples: "rgb", write: convertP216 },
} as const satisfies Record<string, PixelRows>;

export type PackedFormat = keyof typeof packed;
export type PlanarFormat = keyof typeof planar;
export type PixelFormat = PackedFormat | PlanarFormat;

export const pixelFormats = [...Object.keys(packed), ...Object.keys(planar)] as PixelFormat[];

export function pixelRows(format: PixelFormat): PixelRows {
  return isPlanar(format) ? planar[format] : packed[format].rows;
}

export function bytesPerPixel(format: PackedFormat): number {
  return packed[format].bytesPerPixel;
}

export function isPlanar(format: PixelFormat): format is PlanarFormat {
  return Object.hasOwn(planar, format);
}

function copyGray({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  copyBytes(planes, y, width, out, at);
}

function copyRgb({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  copyBytes(planes, y, width * 3, out, at);
}

function copyRgba({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  copyBytes(planes, y, width * 4, out, at);
}

function copyBytes(planes: Plane[], y: number, length: number, out: Uint8Array, at: number): void {
  const { bytes, stride } = planes[0] as Plane;
  out.set(bytes.subarray(y * stride, y * stride + length), at);
}

function swapBytes({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const { bytes, stride } = planes[0] as Plane;
  let from = y * stride;
  for (let to = at; to < at + width * 2; to += 2, from += 2) {
    out[to] = bytes[from + 1] as number;
    out[to + 1] = bytes[from] as number;
  }
}

function copyBgr(picture: Picture, y: number, out: Uint8Array, at: number): void {
  swapColours(picture, y, 3, out, at);
}

function copyBgr0(picture: Picture, y: number, out: Uint8Array, at: number): void {
  swapColours(picture, y, 4, out, at);
}

function swapColours(
  { planes, width }: Picture,
  y: number,
  pixelBytes: number,
  out: Uint8Array,
  at: number,
): void {
  const { bytes, stride } = planes[0] as Plane;
  let from = y * stride;
  for (let to = at; to < at + width * 3; to += 3, from += pixelBytes) {
    out[to] = bytes[from + 2] as number;
    out[to + 1] = bytes[from + 1] as number;
    out[to + 2] = bytes[from] as number;
  }
}

function copyBgra({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const { bytes, stride } = planes[0] as Plane;
  let from = y * stride;
  for (let to = at; to < at + width * 4; to += 4, from += 4) {
    out[to] = bytes[from + 2] as number;
    out[to + 1] = bytes[from + 1] as number;
    out[to + 2] = bytes[from] as number;
    out[to + 3] = bytes[from + 3] as number;
  }
}

function convertUyvy({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const { bytes, stride } = planes[0] as Plane;
  for (let x = 0; x < width; x++) {
    const pair = y * stride + (x >> 1) * 4;
    const luma = bytes[pair + 1 + (x & 1) * 2] as number;
    put422(luma, bytes[pair] as number, bytes[pair + 2] as number, out, at + x * 3);
  }
}

function convertNv12({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const [luma, chroma] = planes as [Plane, Plane];
  for (let x = 0; x < width; x++) {
    const pair = (y >> 1) * chroma.stride + (x & ~1);
    const value = luma.bytes[y * luma.stride + x] as number;
    const u = chroma.bytes[pair] as number;
    put420(value, u, chroma.bytes[pair + 1] as number, out, at + x * 3);
  }
}

function convertYuv420p({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const [luma, blue, red] = planes as [Plane, Plane, Plane];
  for (let x = 0; x < width; x++) {
    const quarter = (y >> 1) * blue.stride + (x >> 1);
    const value = luma.bytes[y * luma.stride + x] as number;
    put420(value, blue.bytes[quarter] as number, red.bytes[quarter] as number, out, at + x * 3);
  }
}

/** Of each two bytes the high one. */
function convertP216({ planes, width }: Picture, y: number, out: Uint8Array, at: number): void {
  const [luma, chroma] = planes as [Plane, Plane];
  for (let x = 0; x < width; x++) {
    const value = luma.bytes[y * luma.stride + x * 2 + 1] as number;
    const pair = y * chroma.stride + (x >> 1) * 4;
    const u = chroma.bytes[pair + 1] as number;
    put422(value, u, chroma.bytes[pair + 3] as number, out, at + x * 3);
  }
}

/** Weights of the two differences in 256ths, limited range. */
interface Matrix {
  rv: number;
  gu: number;
  gv: number;
  bu: number;
}

/** BT.601: what decoders take 4:2:0 for where it says nothing of itself. */
const put420 = yuvWriter({ rv: 409, gu: 100, gv: 208, bu: 516 });
/** BT.709: what libndi takes 4:2:2 for, at every size. */
const put422 = yuvWriter({ rv: 459, gu: 55, gv: 136, bu: 541 });

/** In 8-bit fixed point: a preview, not a colour-managed conversion. */
function yuvWriter({ rv, gu, gv, bu }: Matrix) {
  return (luma: number, u: number, v: number, out: Uint8Array, at: number): void => {
    const base = 298 * (luma - 16) + 128;
    out[at] = clamped((base + rv * (v - 128)) >> 8);
    out[at + 1] = clamped((base - gu * (u - 128) - gv * (v - 128)) >> 8);
    out[at + 2] = clamped((base + bu * (u - 128)) >> 8);
  };
}

function clamped(value: number): number {
  return Math.max(0, Math.min(value, 255));
}
