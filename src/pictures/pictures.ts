/** Frames that are pictures: a descriptor's words laid over a frame's bytes, without copying. */
import { pictureSize } from "./picture-size.ts";
import {
  bytesPerPixel,
  isPlanar,
  type PackedFormat,
  type Picture,
  type PixelFormat,
  type PlanarFormat,
  pixelFormats,
} from "./pixels.ts";

/** What of a descriptor says how pixels lie. */
export interface PictureDescriptor {
  kind: string;
  dtype: unknown;
  shape: readonly number[];
  strides?: readonly number[] | null | undefined;
  pixelFormat?: string | null | undefined;
}

export interface PictureFrame {
  payload: Uint8Array;
  /** The frame's own shape where it states one, else the descriptor's. */
  shape: readonly number[];
}

export interface FrameSize {
  payloadBytes: number;
  shape: readonly number[];
}

/** Why a frame cannot be shown as a picture, for people. */
export class NotAPicture extends Error {
  override name = "NotAPicture";
}

/** The format of a stream's pictures, or null where its frames are none. */
export function pixelFormatOf(descriptor: PictureDescriptor): PixelFormat | null {
  const stated = descriptor.pixelFormat;
  if (stated) return pixelFormats.find((format) => format === stated) ?? null;
  return guessedFormat(descriptor);
}

/**
 * Foreign producers may leave `pixelFormat` out; OpenCV's order of colours is then the likeliest,
 * since that is what a camera read in Python gives. Tensors are never guessed: theirs are no pixels.
 */
function guessedFormat({ kind, dtype, shape }: PictureDescriptor): PixelFormat | null {
  if (kind !== "video" && kind !== "depth") return null;
  if (dtype === "<u2" && shape.length === 2) return "gray16le";
  if (dtype !== "|u1") return null;
  if (shape.length === 2 || (shape.length === 3 && shape[2] === 1)) return "gray";
  if (shape.length !== 3) return null;
  if (shape[2] === 3) return "bgr24";
  return shape[2] === 4 ? "bgra" : null;
}

/** How a picture lies in a frame: all but the bytes. */
export interface PictureLayout {
  format: PixelFormat;
  width: number;
  height: number;
  /** Where each plane begins in the payload, and the bytes from one of its rows to the next. */
  planes: { offset: number; stride: number }[];
}

/** Lays a picture over a frame's bytes, without copying. Throws {@link NotAPicture}. */
export function pictureOf(
  descriptor: PictureDescriptor,
  { payload, shape }: PictureFrame,
): Picture {
  const layout = pictureLayout(descriptor, { payloadBytes: payload.length, shape });
  const planes = layout.planes.map(({ offset, stride }) => ({
    bytes: payload.subarray(offset),
    stride,
  }));
  return { ...layout, planes };
}

/** The same for a frame that was not read. Throws {@link NotAPicture}. */
export function pictureLayout(descriptor: PictureDescriptor, frame: FrameSize): PictureLayout {
  const format = pixelFormatOf(descriptor);
  if (!format) throw new NotAPicture(whyNoPicture(descriptor));
  if (format === "p216le") return p216Picture(descriptor, frame);
  return isPlanar(format)
    ? planarPicture(format, descriptor, frame)
    : packedPicture(format, descriptor, frame);
}

function whyNoPicture({ kind, dtype, shape, pixelFormat }: PictureDescriptor): string {
  if (pixelFormat) {
    return `Its pixelFormat is "${pixelFormat}"; shown as pictures are ${pixelFormats.join(", ")}.`;
  }
  const what = `${kind} of ${JSON.stringify(dtype)} ${JSON.stringify(shape)}`;
  return `Its frames are ${what} and its descriptor has no pixelFormat.`;
}

function packedPicture(
  format: PackedFormat,
  descriptor: PictureDescriptor,
  { payloadBytes, shape }: FrameSize,
): PictureLayout {
  const pixel = bytesPerPixel(format);
  const { width, height } = pictureSize(format, shape);
  const stride = rowStride(descriptor, shape) ?? width * pixel;
  if (stride < width * pixel) {
    throw new NotAPicture(`Its rows of ${stride} B are shorter than ${width} pixels of ${format}.`);
  }
  const picture = { format, width, height, planes: [{ offset: 0, stride }] };
  checkSize(picture, payloadBytes, (height - 1) * stride + width * pixel);
  return picture;
}

/** As FFmpeg lays both out without gaps: shape is (height * 3 / 2, width), luma rows first. */
function planarPicture(
  format: Exclude<PlanarFormat, "p216le">,
  descriptor: PictureDescriptor,
  { payloadBytes, shape }: FrameSize,
): PictureLayout {
  const { width, height } = pictureSize(format, shape);
  const stride = rowStride(descriptor, shape) ?? width;
  if (width % 2 !== 0 || height % 2 !== 0 || stride % 2 !== 0) {
    throw new NotAPicture(
      `A picture of ${format} has the shape (height * 3 / 2, width), both even; this one has ${JSON.stringify(shape)}.`,
    );
  }
  const chroma = height * stride;
  const quarter = (height / 2) * (stride / 2);
  const planes =
    format === "nv12"
      ? [{ offset: chroma, stride }]
      : [chroma, chroma + quarter].map((offset) => ({ offset, stride: stride / 2 }));
  const picture = { format, width, height, planes: [{ offset: 0, stride }, ...planes] };
  checkSize(picture, payloadBytes, (height * 3 * stride) / 2);
  return picture;
}

/** 16 bits a sample: shape is (2, height, width), rows of luma, then as many of blue and red by turns. */
function p216Picture(
  descriptor: PictureDescriptor,
  { payloadBytes, shape }: FrameSize,
): PictureLayout {
  const { width, height } = pictureSize("p216le", shape);
  const strides = statedStrides(descriptor, shape);
  const stride = strides?.[1] ?? width * 2;
  const planeBytes = strides?.[0] ?? height * stride;
  if (shape[0] !== 2 || width % 2 !== 0 || stride < width * 2 || planeBytes < height * stride) {
    throw new NotAPicture(
      `A picture of p216le has the shape (2, height, width), width even, and no overlapping rows; this one has ${JSON.stringify(shape)}.`,
    );
  }
  const planes = [0, planeBytes].map((offset) => ({ offset, stride }));
  const picture = { format: "p216le" as const, width, height, planes };
  checkSize(picture, payloadBytes, planeBytes + (height - 1) * stride + width * 2);
  return picture;
}

function rowStride(descriptor: PictureDescriptor, own: readonly number[]) {
  return statedStrides(descriptor, own)?.[0];
}

/** Stated distances hold only for the stated shape; other frames lie without gaps. */
function statedStrides({ strides, shape }: PictureDescriptor, own: readonly number[]) {
  const same = own.length === shape.length && own.every((length, axis) => length === shape[axis]);
  return same ? strides : undefined;
}

function checkSize(picture: PictureLayout, payloadBytes: number, needed: number): void {
  const { format, width, height } = picture;
  if (!(width > 0 && height > 0 && width <= 65535 && height <= 65535)) {
    throw new NotAPicture(`This frame is ${width} x ${height}; a picture is 1 to 65535 each way.`);
  }
  if (payloadBytes < needed) {
    throw new NotAPicture(
      `${width} x ${height} of ${format} needs ${needed} B, this frame has ${payloadBytes} B.`,
    );
  }
}
