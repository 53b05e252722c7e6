/** A film file by picture number, scaled as a camera would give it, from the first to the last and again. */
import type { CodecContext, Ffmpeg, FormatContext, Frame, Stream } from "../../../video/ffmpeg.ts";
import { ticksToNs } from "../../../video/ffmpeg.ts";

export interface FilmView {
  width: number;
  height: number;
  /** Pictures a second; the film's own are left out or shown again to fit. */
  rate: number;
  pixelFormat: "yuv420p" | "nv12";
}

export interface Film {
  /** In one round. */
  pictures: number;
  /**
   * One after the other is quick; anything else winds the film.
   * @returns valid until the next call
   */
  picture(index: number): Promise<Frame>;
  close(): Promise<void>;
}

/** Of a picture whose time the file does not say. */
const untimedNs = 40_000_000n;

/** Forward so far it is quicker to decode than to wind. */
const nearNs = 2_000_000_000n;

/** The last tick before a picture's time may be rounded up: so much later it is there. */
const roundingNs = 500_000n;

/** @throws Error that says which file and why */
export async function openFilm(ffmpeg: Ffmpeg, file: string, view: FilmView): Promise<Film> {
  const { constants } = ffmpeg;
  const format = new ffmpeg.FormatContext();
  format.allocContext();
  try {
    // Neither the path nor what a playlist names may reach out to the network.
    const settings = ffmpeg.Dictionary.fromObject({ protocol_whitelist: "file" });
    check(ffmpeg, await format.openInput(`file:${file}`, null, settings), file);
    check(ffmpeg, await format.findStreamInfo(null), file);
    const track = format.streams[format.findBestStream(constants.AVMEDIA_TYPE_VIDEO)];
    if (!track) throw new Error(`the film ${file} has no picture track`);
    for (const stream of format.streams) {
      if (stream.index !== track.index) stream.discard = constants.AVDISCARD_ALL;
    }
    return await createFilm(ffmpeg, { format, track, file }, view);
  } catch (error) {
    await format.closeInput();
    throw error;
  }
}

interface Opened {
  format: FormatContext;
  track: Stream;
  file: string;
}

async function createFilm(ffmpeg: Ffmpeg, opened: Opened, view: FilmView): Promise<Film> {
  const { format, track, file } = opened;
  const { constants } = ffmpeg;
  const decoder = openDecoder(ffmpeg, opened);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  // The picture of the moment, and the one behind it.
  let [shown, next] = [new ffmpeg.Frame(), new ffmpeg.Frame()];
  shown.alloc();
  next.alloc();
  const scaler = createScaler(ffmpeg, view);
  const startNs = timeOf(track.startTime) ?? 0n;
  const durationNs = lengthNs(ffmpeg, format, track);
  const pictures = Math.max(1, Math.floor((Number(durationNs) / 1e9) * view.rate + 1e-6));
  let shownNs: bigint | null = null;
  let nextNs: bigint | null = null;

  function timeOf(ticks: bigint): bigint | null {
    return ticks === constants.AV_NOPTS_VALUE ? null : ticksToNs(ticks, track.timeBase);
  }

  /**
   * What cannot be decoded is left out: the picture before it stays. Only the decoder's own work goes to a
   * thread of FFmpeg's, which many wait for.
   */
  const decode = async (into: Frame): Promise<boolean> => {
    for (;;) {
      const got = decoder.receiveFrameSync(into);
      if (got >= 0) return true;
      if (got !== constants.AVERROR_EAGAIN) return false;
      const read = format.readFrameSync(packet);
      if (read < 0) await decoder.sendPacket(null);
      else if (packet.streamIndex === track.index) await decoder.sendPacket(packet);
      packet.unref();
    }
  };

  const step = async () => {
    [shown, next] = [next, shown];
    shownNs = nextNs;
    const more = await decode(next);
    const stated =
      timeOf(next.bestEffortTimestamp) ?? startNs + (shownNs ?? -untimedNs) + untimedNs;
    nextNs = more ? stated - startNs : null;
  };

  /** The first two pictures from where the file is read. */
  const begin = async () => {
    shownNs = null;
    nextNs = null;
    await step();
    await step();
    if (shownNs === null) throw new Error(`the film ${file} has no picture that can be decoded`);
  };

  const wind = async (wantedNs: bigint) => {
    const us = (wantedNs + startNs) / 1000n;
    const code = await format.seekFile(-1, -(2n ** 63n), us, us);
    check(ffmpeg, code, `the film ${file} cannot be wound`);
    decoder.flushBuffers();
    await begin();
  };

  const show = async (wantedNs: bigint) => {
    const from = shownNs ?? 0n;
    if (wantedNs < from || wantedNs > from + nearNs) await wind(wantedNs);
    while (nextNs !== null && nextNs <= wantedNs) await step();
  };

  await begin();
  return {
    pictures,
    async picture(index) {
      const seconds = (index % pictures) / view.rate;
      await show(BigInt(Math.round(seconds * 1e9)) + roundingNs);
      return scaler.scale(shown);
    },
    async close() {
      scaler.close();
      for (const frame of [shown, next]) frame.free();
      packet.free();
      decoder.freeContext();
      await format.closeInput();
    },
  };
}

function openDecoder(ffmpeg: Ffmpeg, { track, file }: Opened): CodecContext {
  const codec = ffmpeg.Codec.findDecoder(track.codecpar.codecId);
  if (!codec) throw new Error(`no decoder for the film ${file}`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.parametersToContext(track.codecpar);
  context.pktTimebase = track.timeBase;
  context.threadCount = 1;
  const code = context.open2Sync(codec);
  if (code >= 0) return context;
  context.freeContext();
  throw new Error(`the film ${file}: ${ffmpeg.FFmpegError.strerror(code)}`);
}

function lengthNs({ constants }: Ffmpeg, format: FormatContext, track: Stream): bigint {
  const stated = track.duration;
  if (stated > 0n && stated !== constants.AV_NOPTS_VALUE) return ticksToNs(stated, track.timeBase);
  return format.duration > 0n ? format.duration * 1000n : 0n;
}

/** To the colours that the camera's properties tell: BT.601. */
function createScaler(ffmpeg: Ffmpeg, { width, height, pixelFormat }: FilmView) {
  const { constants } = ffmpeg;
  const scaler = new ffmpeg.SoftwareScaleContext();
  scaler.allocContext();
  const target = new ffmpeg.Frame();
  target.alloc();
  target.width = width;
  target.height = height;
  target.format = pixelFormat === "nv12" ? constants.AV_PIX_FMT_NV12 : constants.AV_PIX_FMT_YUV420P;
  target.colorSpace = constants.AVCOL_SPC_SMPTE170M;
  target.colorRange = constants.AVCOL_RANGE_MPEG;
  check(ffmpeg, target.getBuffer(), "memory for a picture");
  return {
    async scale(picture: Frame): Promise<Frame> {
      check(ffmpeg, target.makeWritable(), "memory for a picture");
      check(ffmpeg, await scaler.scaleFrame(target, picture), "scaling the film");
      return target;
    },
    close() {
      target.free();
      scaler.freeContext();
    },
  };
}

function check({ FFmpegError }: Ffmpeg, code: number, what: string): void {
  if (code < 0) throw new Error(`${what}: ${FFmpegError.strerror(code)}`);
}
