/**
 * Pictures converted and scaled by FFmpeg straight into memory of ours, a ring's slot: the only time their
 * bytes are written after decoding.
 */
import type { Ffmpeg, Frame } from "./ffmpeg.ts";
import { ffmpegFormat, type PixelFormat } from "./pixel-formats.ts";

export interface PictureConversion {
  /** What comes out from now on. */
  prepare(size: { width: number; height: number }): void;
  /**
   * @param slot room for the picture and {@link overrunBytes}
   * @returns FFmpeg's result, negative where it cannot convert this picture
   */
  convert(frame: Frame, slot: Uint8Array): number;
  close(): void;
}

/**
 * FFmpeg's fast conversion from planar YUV to colour works on 16 pixels at a time. With rows packed as
 * ours are it leaves the last columns black where fewer than 8 pixels are over (854, 1366; seen with
 * FFmpeg 5 and 8 alike), so there it writes rows of its own, copied into the slot by FFmpeg.
 */
function needsOwnRows(format: PixelFormat, width: number): boolean {
  return (format === "bgr24" || format === "rgb24") && width % 16 > 0 && width % 16 < 8;
}

/**
 * FFmpeg's fast conversions write whole vectors: at widths that are no multiple of 16 up to 23 bytes
 * behind the last row (measured with FFmpeg 8), which would be the next slot's header.
 */
export const overrunBytes = 64;

export function createPictureConversion(ffmpeg: Ffmpeg, format: PixelFormat): PictureConversion {
  const scaler = new ffmpeg.SoftwareScaleContext();
  scaler.allocContext();
  // Owns no memory: it points into the slot of the moment.
  const target = new ffmpeg.Frame();
  target.alloc();
  const ownRows = new ffmpeg.Frame();
  let viaOwnRows = false;

  const prepareOwnRows = () => {
    ownRows.alloc();
    ownRows.width = target.width;
    ownRows.height = target.height;
    ownRows.format = target.format;
    ffmpeg.FFmpegError.throwIfError(ownRows.getBuffer(), "memory for a picture");
  };

  return {
    prepare({ width, height }) {
      target.width = width;
      target.height = height;
      target.format = ffmpegFormat(ffmpeg, format);
      viaOwnRows = needsOwnRows(format, width);
      if (viaOwnRows) prepareOwnRows();
    },
    convert(frame, slot) {
      // Sets pointers and strides and copies nothing, whatever its name says (av_image_fill_arrays).
      target.fromBuffer(Buffer.from(slot.buffer, slot.byteOffset, slot.byteLength));
      if (!viaOwnRows) return scaler.scaleFrameSync(target, frame);
      const result = scaler.scaleFrameSync(ownRows, frame);
      return result < 0 ? result : target.copy(ownRows);
    },
    close() {
      scaler.freeContext();
      target.free();
      ownRows.free();
    },
  };
}
