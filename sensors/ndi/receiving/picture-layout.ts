/** How a picture of libndi becomes a frame: which of its formats is asked for, and what each becomes. */
import type { StreamSpec } from "../../../src/ring/descriptor.ts";
import type { NdiPixelFormat } from "../config.ts";
import { type colorFormat, fourCC } from "../libndi/structs.ts";

/** One pass over the rows: native/bgr24.c converts, the last one copies. */
export type RowLoop = "streamem_uyvy_rows" | "streamem_bgrx_rows" | "streamem_copy_rows";

export interface PictureLayout {
  /** FFmpeg's name. */
  pixelFormat: string;
  loop: RowLoop;
  /** Of what is read. */
  bytesPerPixel: number;
  /** What the loop calls a column: a pixel, or a byte. */
  columnsPerPixel: number;
  /** Planes of full height that are taken, one below the other. */
  planes: number;
  describe(size: Size): Pick<StreamSpec, "dtype" | "shape" | "dims" | "planes">;
}

export interface Size {
  width: number;
  height: number;
}

const packed =
  (channels: number) =>
  ({ width, height }: Size) => ({
    dtype: "|u1",
    shape: [height, width, channels],
    dims: ["height", "width", "channel"],
  });

const bgr24 = (loop: RowLoop, bytesPerPixel: number): PictureLayout => ({
  ...{ pixelFormat: "bgr24", loop, bytesPerPixel },
  columnsPerPixel: 1,
  planes: 1,
  describe: packed(3),
});

const copied = (pixelFormat: string, bytesPerPixel: number): PictureLayout => ({
  pixelFormat,
  loop: "streamem_copy_rows",
  bytesPerPixel,
  columnsPerPixel: bytesPerPixel,
  planes: 1,
  describe: packed(bytesPerPixel),
});

/** 16 bits: the rows of brightness, then as many of blue and red by turns. */
const p216: PictureLayout = {
  ...copied("p216le", 2),
  planes: 2,
  describe: ({ width, height }) => ({
    dtype: "<u2",
    shape: [2, height, width],
    dims: ["plane", "height", "width"],
    planes: [
      { name: "y", offset: 0, shape: [height, width] },
      { name: "uv", offset: 2 * width * height, shape: [height, width / 2, 2] },
    ],
  }),
};

const uyvy422 = copied("uyvy422", 2);

interface Asked {
  colorFormat: keyof typeof colorFormat;
  /** By FourCC; another one is none of those that libndi promises for this format. */
  layouts: Partial<Record<number, PictureLayout>>;
}

/**
 * For `bgr24` libndi is not asked for BGRX: its own conversion takes several times as long as native/bgr24.c.
 * `fastest` and `best` keep 4:2:2 where the source has alpha too, in a plane below that is left out; they give
 * interlaced sources as single fields, the others as whole pictures.
 */
export const askedFor: Record<NdiPixelFormat, Asked> = {
  bgr24: {
    colorFormat: "uyvyBgra",
    layouts: {
      [fourCC.UYVY]: bgr24("streamem_uyvy_rows", 2),
      [fourCC.BGRA]: bgr24("streamem_bgrx_rows", 4),
    },
  },
  bgra: {
    colorFormat: "bgrxBgra",
    layouts: { [fourCC.BGRX]: copied("bgr0", 4), [fourCC.BGRA]: copied("bgra", 4) },
  },
  uyvy422: {
    colorFormat: "fastest",
    layouts: { [fourCC.UYVY]: uyvy422, [fourCC.UYVA]: uyvy422 },
  },
  p216: {
    colorFormat: "best",
    layouts: { [fourCC.P216]: p216, [fourCC.PA16]: p216 },
  },
};
