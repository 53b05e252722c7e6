/** Packets to whole pictures. A damaged one is never handed out, nor what was predicted from it. */
import { type SensorContext, SensorError } from "../sensor.ts";
import type { CodecContext, Ffmpeg, Frame, Packet, Stream } from "./ffmpeg.ts";
import type { FfmpegLog } from "./ffmpeg-log.ts";

export interface PictureDecoder {
  readonly codec: string;
  /**
   * The pictures that are complete with this packet; null at the end gives the rest. Each is valid until
   * the next is asked for.
   */
  pictures(packet: Packet | null): AsyncGenerator<Frame>;
  close(): void;
}

export interface DecoderOptions {
  threads: number;
  /** Threads by slices: those by frames each add a frame of delay. */
  live: boolean;
  /** So many pictures were left out, and why. */
  dropped(pictures: number, why: string): void;
}

export function createPictureDecoder(
  ffmpeg: Ffmpeg,
  log: FfmpegLog,
  stream: Stream,
  { threads, live, dropped }: DecoderOptions,
): PictureDecoder {
  const { constants } = ffmpeg;
  const { context, codec } = openDecoder(ffmpeg, stream, (context) => {
    context.threadCount = threads;
    context.threadType = live ? constants.FF_THREAD_SLICE : constants.FF_THREAD_FRAME;
  });
  // H.264 keeps its pictures back until it has recovered, also where there are no key frames at all
  // but a moving column of them (intra refresh). The others begin at once and guess.
  const recoversItself = codec === "h264";
  if (recoversItself) log.listenClosely();
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const broken = constants.AV_FRAME_FLAG_CORRUPT;

  let whole = false;
  let sent = 0;
  let given = 0;
  let why = "the first picture that stands alone has not come yet";

  /** What waits in the decoder may refer to the damage: all of it goes. */
  const startOver = (words: string) => {
    if (whole) dropped(sent - given, words);
    why = words;
    context.flushBuffers();
    whole = false;
    sent = 0;
    given = 0;
  };

  /** After a flush the first packet refers to pictures that are gone: that is not news. */
  const damage = async (result: number): Promise<string | null> => {
    await log.settle();
    const loss = log.take("loss");
    const skipped = log.take("skip");
    if (skipped && whole) {
      dropped(1, skipped);
      given += 1;
    }
    if (result < 0) return loss ?? ffmpeg.FFmpegError.strerror(result);
    return sent === 1 && !whole ? null : loss;
  };

  const standsAlone = () => {
    if (!recoversItself && frame.keyFrame !== 1) return false;
    whole = true;
    const delayed = context.hasBFrames + (live ? 0 : threads - 1);
    const lost = Math.max(0, sent - 1 - delayed);
    if (lost > 0) dropped(lost, why);
    given = lost;
    return true;
  };

  async function* pictures(packet: Packet | null): AsyncGenerator<Frame> {
    if (packet) {
      if (packet.size === 0) {
        sent += 1;
        return startOver("the device has marked it as broken");
      }
      if (packet.hasFlags(constants.AV_PKT_FLAG_CORRUPT)) {
        sent += 1;
        return startOver("a packet is incomplete");
      }
      sent += 1;
    }
    const damaged = await damage(context.sendPacketSync(packet));
    if (damaged) return startOver(damaged);
    for (;;) {
      const result = context.receiveFrameSync(frame);
      if (result === constants.AVERROR_EAGAIN || result === constants.AVERROR_EOF) return;
      const late = await damage(result);
      if (late) return startOver(late);
      if (frame.decodeErrorFlags !== 0 || (frame.flags & broken) !== 0) {
        return startOver("the decoder marks the picture as damaged");
      }
      if (!whole && !standsAlone()) continue;
      given += 1;
      yield frame;
    }
  }

  return {
    codec,
    pictures,
    close() {
      if (!whole && sent > 0) dropped(sent, why);
      frame.free();
      context.freeContext();
    },
  };
}

/** Counts what was not shown and says why; the log counts repeated lines by itself. */
export function leftOut(
  context: Pick<SensorContext, "counters" | "log">,
  count: number,
  why: string,
): void {
  context.counters.dropped = (context.counters.dropped ?? 0) + count;
  context.log.warn(`damaged pictures left out: ${count} (${why})`);
}

/** Throws a SensorError where this build has no decoder for the track. */
export function openDecoder(
  ffmpeg: Ffmpeg,
  stream: Stream,
  configure: (context: CodecContext) => void,
): { context: CodecContext; codec: string } {
  const decoder = ffmpeg.Codec.findDecoder(stream.codecpar.codecId);
  if (!decoder) {
    throw new SensorError(`no decoder for codec number ${stream.codecpar.codecId} in node-av`, {
      retry: false,
    });
  }
  const context = new ffmpeg.CodecContext();
  context.allocContext3(decoder);
  context.parametersToContext(stream.codecpar);
  context.pktTimebase = stream.timeBase;
  configure(context);
  const result = context.open2Sync(decoder);
  if (result < 0) {
    const words = ffmpeg.FFmpegError.strerror(result);
    context.freeContext();
    throw new SensorError(`the ${decoder.name} decoder does not start: ${words}`, { retry: false });
  }
  return { context, codec: decoder.name ?? "unknown" };
}
