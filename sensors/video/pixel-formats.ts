/** How a picture lies in its slot, by FFmpeg's name of the format. */
import type { StreamSpec } from "../../src/ring/descriptor.ts";
import type { Ffmpeg } from "./ffmpeg.ts";

export const pixelFormats = ["bgr24", "rgb24", "gray", "gray16le", "nv12"] as const;
export type PixelFormat = (typeof pixelFormats)[number];

interface Size {
  width: number;
  height: number;
}

type Layout = Pick<StreamSpec, "dtype" | "shape" | "dims" | "planes">;

const colour = ({ width, height }: Size): Layout => ({
  dtype: "|u1",
  shape: [height, width, 3],
  dims: ["height", "width", "channel"],
});

const layouts: Record<PixelFormat, (size: Size) => Layout> = {
  bgr24: colour,
  rgb24: colour,
  gray: ({ width, height }) => ({
    dtype: "|u1",
    shape: [height, width],
    dims: ["height", "width"],
  }),
  gray16le: ({ width, height }) => ({
    dtype: "<u2",
    shape: [height, width],
    dims: ["height", "width"],
  }),
  // The rows of brightness, then half as many rows of blue and red by turns.
  nv12: ({ width, height }) => ({
    dtype: "|u1",
    shape: [(height * 3) / 2, width],
    dims: ["row", "width"],
    planes: [
      { name: "y", offset: 0, shape: [height, width] },
      { name: "uv", offset: width * height, shape: [height / 2, width / 2, 2] },
    ],
  }),
};

export function layoutOf(format: PixelFormat, size: Size): Layout {
  return layouts[format](size);
}

/** nv12 has one colour for four pixels, so an odd size has no place for the last. */
export function fits(format: PixelFormat, { width, height }: Size): boolean {
  return format !== "nv12" || (width % 2 === 0 && height % 2 === 0);
}

export function ffmpegFormat({ constants }: Ffmpeg, format: PixelFormat) {
  return {
    bgr24: constants.AV_PIX_FMT_BGR24,
    rgb24: constants.AV_PIX_FMT_RGB24,
    gray: constants.AV_PIX_FMT_GRAY8,
    gray16le: constants.AV_PIX_FMT_GRAY16LE,
    nv12: constants.AV_PIX_FMT_NV12,
  }[format];
}
