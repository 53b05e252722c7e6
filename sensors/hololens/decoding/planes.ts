/** The planes of a decoded picture whose values are data: 8 bits, 4:2:0, exactly of the camera's size. */
import type { Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { type Plane, planeOf, type Size } from "./pixels.ts";

export interface Planes {
  y: Plane;
  u: Plane;
  v: Plane;
}

/** They point into the decoder's memory. Throws a ProtocolError `frame` for any other picture. */
export function planesOf(
  { constants }: Ffmpeg,
  frame: Frame,
  { width, height, where }: Size & { where: string },
): Planes {
  // The second one is the first, with the range stated: the values do not differ.
  const formats: number[] = [constants.AV_PIX_FMT_YUV420P, constants.AV_PIX_FMT_YUVJ420P];
  const sized = frame.width === width && frame.height === height;
  if (sized && formats.includes(frame.format)) {
    return { y: planeOf(frame, 0), u: planeOf(frame, 1), v: planeOf(frame, 2) };
  }
  throw new ProtocolError({
    where,
    what: `a picture of ${frame.width}x${frame.height} in pixel format number ${frame.format}`,
    allowed: `${width}x${height}, 8 bits, 4:2:0`,
    kind: "frame",
  });
}
