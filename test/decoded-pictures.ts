/** Access units through FFmpeg's decoder, one by one: each must give one picture and at once. */
import type { VideoCodec } from "../sensors/hololens/wire/access-unit.ts";
import { type Frame, loadFfmpeg } from "../sensors/video/ffmpeg.ts";

export interface DecodedPicture {
  width: number;
  height: number;
  /** I, P or B. */
  type: string;
  /** Without padding: Y, U, V. */
  planes: [Uint8Array, Uint8Array, Uint8Array];
}

const pictureTypes: Record<number, string> = { 1: "I", 2: "P", 3: "B" };

export async function decodePictures(
  codec: VideoCodec,
  units: readonly Uint8Array[],
): Promise<DecodedPicture[]> {
  const ffmpeg = await loadFfmpeg();
  const { constants } = ffmpeg;
  const id = codec === "h264" ? constants.AV_CODEC_ID_H264 : constants.AV_CODEC_ID_HEVC;
  const decoder = ffmpeg.Codec.findDecoder(id);
  if (!decoder) throw new Error(`no decoder for ${codec}`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(decoder);
  context.threadCount = 1;
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(decoder), "decoder");
  const packet = new ffmpeg.Packet();
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const pictures: DecodedPicture[] = [];
  for (const [i, unit] of units.entries()) {
    packet.alloc();
    packet.data = Buffer.from(unit);
    ffmpeg.FFmpegError.throwIfError(context.sendPacketSync(packet), `unit ${i}`);
    packet.free();
    ffmpeg.FFmpegError.throwIfError(context.receiveFrameSync(frame), `picture of unit ${i}`);
    pictures.push(copied(frame));
    const more = context.receiveFrameSync(frame);
    if (more !== constants.AVERROR_EAGAIN) throw new Error(`unit ${i} gives two pictures`);
  }
  frame.free();
  context.freeContext();
  return pictures;
}

/** Planar 4:2:0 as it lies in a frame. */
export function copied(frame: Frame): DecodedPicture {
  const { width, height } = frame;
  const plane = (i: number, w: number, h: number) => {
    const [from, stride] = [frame.data?.[i] as Buffer, frame.linesize[i] as number];
    const bytes = new Uint8Array(w * h);
    for (let row = 0; row < h; row++) {
      bytes.set(from.subarray(row * stride, row * stride + w), row * w);
    }
    return bytes;
  };
  const [w, h] = [width / 2, height / 2];
  const planes: DecodedPicture["planes"] = [
    plane(0, width, height),
    plane(1, w, h),
    plane(2, w, h),
  ];
  return { width, height, type: pictureTypes[frame.pictType] ?? "?", planes };
}

/** Peak signal to noise, dB; Infinity: the same. */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>, peak = 255): number {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} values`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return 10 * Math.log10(peak ** 2 / (sum / a.length));
}
