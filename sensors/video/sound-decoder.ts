/** Packets of the audio track to planar float samples, with their place in the track's time. */
import type { Ffmpeg, Frame, Packet, Stream } from "./ffmpeg.ts";
import { known, ticksToNs } from "./ffmpeg.ts";
import { openDecoder } from "./picture-decoder.ts";

export interface Samples {
  /** One per channel; reused by the next. */
  planes: Float32Array[];
  samples: number;
  sampleRateHz: number;
  channels: number;
  /** FFmpeg's name of the channel layout: "stereo", "5.1". */
  layout: string;
  /** Time of the first one in ns of the track's clock; null where the track does not say. */
  mediaNs: bigint | null;
}

export interface SoundDecoder {
  readonly codec: string;
  samples(packet: Packet | null): Generator<Samples>;
  close(): void;
}

/** `dropped` is told of each packet that could not be decoded. */
export function createSoundDecoder(
  ffmpeg: Ffmpeg,
  stream: Stream,
  dropped: (why: string) => void,
): SoundDecoder {
  const { constants } = ffmpeg;
  const { context, codec } = openDecoder(ffmpeg, stream, (context) => {
    context.threadCount = 1;
  });
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const planar = createPlanar(ffmpeg);

  function* samples(packet: Packet | null): Generator<Samples> {
    const sent = context.sendPacketSync(packet);
    if (sent < 0) return dropped(ffmpeg.FFmpegError.strerror(sent));
    for (;;) {
      const result = context.receiveFrameSync(frame);
      if (result === constants.AVERROR_EAGAIN || result === constants.AVERROR_EOF) return;
      if (result < 0) return dropped(ffmpeg.FFmpegError.strerror(result));
      const ticks = known(ffmpeg, frame.bestEffortTimestamp);
      yield {
        ...planar.convert(frame),
        mediaNs: ticks === null ? null : ticksToNs(ticks, stream.timeBase),
      };
    }
  }

  return {
    codec,
    samples,
    close() {
      planar.close();
      frame.free();
      context.freeContext();
    },
  };
}

/** Any sample format to 32-bit float, a plane per channel; rate and channels stay. */
function createPlanar(ffmpeg: Ffmpeg) {
  const converter = new ffmpeg.SoftwareResampleContext();
  let made = "";
  let planes: Float32Array[] = [];
  let room = 0;

  return {
    convert(frame: Frame): Omit<Samples, "mediaNs"> {
      const { nbSamples, sampleRate, channelLayout, channels } = frame;
      const kind = `${frame.format} ${sampleRate} ${channels} ${channelLayout.mask}`;
      if (kind !== made) {
        const format = ffmpeg.constants.AV_SAMPLE_FMT_FLTP;
        const from = frame.format as typeof format;
        converter.allocSetOpts2(channelLayout, format, sampleRate, channelLayout, from, sampleRate);
        ffmpeg.FFmpegError.throwIfError(converter.init(), "making the sample converter");
        made = kind;
        room = 0;
      }
      if (room < nbSamples) {
        room = nbSamples;
        planes = Array.from({ length: channels }, () => new Float32Array(room));
      }
      const out = planes.map((plane) => Buffer.from(plane.buffer));
      const count = converter.convertSync(out, room, frame.extendedData, nbSamples);
      ffmpeg.FFmpegError.throwIfError(count, "converting samples");
      return {
        planes,
        samples: count,
        sampleRateHz: sampleRate,
        channels,
        layout: ffmpeg.avChannelLayoutDescribe(channelLayout) ?? `${channels} channels`,
      };
    },
    close: () => converter.free(),
  };
}
