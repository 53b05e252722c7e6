/**
 * Pictures that come without an encoder, as FFmpeg sees pictures: pointers into what was received, rows
 * as long as they are. Nothing is copied.
 */
import type { Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { rawStride, strideOf } from "../wire/raw-image.ts";

export interface RawPictures {
  /** Valid as long as the bytes of `image`. Throws a ProtocolError `frame` for a size that cannot be. */
  frameOf(image: Uint8Array, size: { width: number; height: number }): Frame;
  close(): void;
}

export function createRawPictures(ffmpeg: Ffmpeg, where: string): RawPictures {
  const { constants } = ffmpeg;
  const formats = { NV12: constants.AV_PIX_FMT_NV12, YUY2: constants.AV_PIX_FMT_YUYV422 };
  const frame = new ffmpeg.Frame();
  frame.alloc();

  return {
    frameOf(image, { width, height }) {
      const subtype = subtypeOf(image.byteLength, { width, height });
      const stride = rawStride(image.byteLength, { width, height, subtype }, { where });
      if ([width, height, stride].some((side) => side % 2 !== 0)) {
        const what = `a raw picture of ${width}x${height} in rows of ${stride}`;
        throw new ProtocolError({ where, what, allowed: "even numbers", kind: "frame" });
      }
      frame.format = formats[subtype];
      frame.height = height;
      frame.width = stride; // rows of this length; then what of them is picture
      frame.fromBuffer(Buffer.from(image.buffer, image.byteOffset, image.byteLength));
      frame.width = width;
      frame.keyFrame = 1;
      return frame;
    },
    close: () => frame.free(),
  };
}

/**
 * Nothing on the wire says it. Personal video is NV12, and so are most other cameras; one of YUY2 shows
 * by its size. I420 and YV12 have the size of NV12, and would be shown in wrong colours.
 */
function subtypeOf(
  bytes: number,
  { width, height }: { width: number; height: number },
): "NV12" | "YUY2" {
  const stride = strideOf(width);
  if (bytes === stride * height * 1.5) return "NV12";
  return bytes === stride * height * 2 || bytes === width * height * 2 ? "YUY2" : "NV12";
}
