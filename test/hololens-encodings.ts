/** Access units of moving pictures, made by FFmpeg's encoders as the headset would: no picture held back. */
import type { VideoCodec } from "../sensors/hololens/wire/access-unit.ts";
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";

export interface Encoding {
  codec: VideoCodec;
  width: number;
  height: number;
  frames: number;
  /** A key frame each so many. */
  gop: number;
  /** I420, without padding. */
  picture?(number: number): Uint8Array;
  /** The encoder states that brightness takes all 256 values. */
  fullRange?: boolean;
  /** Nothing is lost, whatever it costs. */
  lossless?: boolean;
}

/** AV_OPT_SEARCH_CHILDREN: these are the encoder's own options. */
const searchChildren = 1;

/** Waves that move, in brightness and both colours. */
export function waves({ width, height }: { width: number; height: number }, number: number) {
  const [w, h] = [width / 2, height / 2];
  const y = Array.from({ length: width * height }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return 128 + 60 * Math.sin((column + 3 * number) / 9) + 40 * Math.cos((row - number) / 7);
  });
  const plane = (shift: number) =>
    Array.from({ length: w * h }, (_, i) => 128 + 50 * Math.sin((i % w) / 11 + shift + number / 5));
  return Uint8Array.from([...y, ...plane(0), ...plane(2)]);
}

export async function encode(encoding: Encoding): Promise<Uint8Array[]> {
  const { codec, width, height, frames, gop, lossless } = encoding;
  const { picture = (number) => waves(encoding, number) } = encoding;
  const ffmpeg = await loadFfmpeg();
  const { constants } = ffmpeg;
  ffmpeg.Log.setLevel(constants.AV_LOG_ERROR);
  const name = codec === "h264" ? "libx264" : "libx265";
  const encoder = ffmpeg.Codec.findEncoderByName(name as never);
  if (!encoder) throw new Error(`no ${name}`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(encoder);
  Object.assign(context, { width, height, gopSize: gop, maxBFrames: 0, threadCount: 1 });
  context.pixelFormat = constants.AV_PIX_FMT_YUV420P;
  context.timeBase = { num: 1, den: 30 } as typeof context.timeBase;
  if (encoding.fullRange) context.colorRange = constants.AVCOL_RANGE_JPEG;
  const own = codec === "h264" ? "x264-params" : "x265-params";
  const params = [`keyint=${gop}:scenecut=0`];
  if (codec === "h265") params.push("log-level=none:repeat-headers=1:bframes=0");
  if (lossless) params.push(codec === "h264" ? "qp=0" : "lossless=1");
  const settings = { preset: "ultrafast", tune: "zerolatency", [own]: params.join(":") };
  for (const [key, value] of Object.entries(settings)) {
    const result = context.setOption(key, value, "string" as never, searchChildren as never);
    ffmpeg.FFmpegError.throwIfError(result, key);
  }
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(encoder), "opening the encoder");
  const frame = new ffmpeg.Frame();
  frame.alloc();
  Object.assign(frame, { width, height, format: constants.AV_PIX_FMT_YUV420P });
  ffmpeg.FFmpegError.throwIfError(frame.getBuffer(), "memory");
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const units: Uint8Array[] = [];
  const drain = () => {
    while (context.receivePacketSync(packet) >= 0) {
      units.push(Uint8Array.from(packet.data as Buffer));
      packet.unref();
    }
  };
  for (let number = 0; number < frames; number++) {
    frame.makeWritable();
    fill(frame.data as Buffer[], frame.linesize, encoding, picture(number));
    frame.pts = BigInt(number);
    ffmpeg.FFmpegError.throwIfError(context.sendFrameSync(frame), "encoding");
    drain();
  }
  context.sendFrameSync(null);
  drain();
  packet.free();
  frame.free();
  context.freeContext();
  if (units.length !== frames) throw new Error(`${units.length} units of ${frames} pictures`);
  return units;
}

function fill(
  planes: Buffer[],
  strides: number[],
  { width, height }: { width: number; height: number },
  picture: Uint8Array,
): void {
  let at = 0;
  for (const [i, plane] of planes.slice(0, 3).entries()) {
    const [w, h] = i === 0 ? [width, height] : [width / 2, height / 2];
    for (let row = 0; row < h; row++, at += w) {
      plane.set(picture.subarray(at, at + w), row * (strides[i] as number));
    }
  }
}
