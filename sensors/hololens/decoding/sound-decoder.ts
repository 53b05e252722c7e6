/** AAC frames to planes of float samples, as the decoder holds them. */
import { SensorError } from "../../sensor.ts";
import type { Ffmpeg } from "../../video/ffmpeg.ts";
import { ProtocolError } from "../wire/protocol-error.ts";

export interface DecodedSound {
  channels: number;
  samples: number;
  sampleRateHz: number;
  /** 32-bit floats, one plane for each channel; they may be longer than the samples. Valid until the next. */
  planes: Uint8Array[];
}

export interface SoundDecoder {
  /** What was decoded before says nothing about what comes. */
  begin(): void;
  /** Null: samples follow with the next frame. Throws a ProtocolError `frame` for what does not decode. */
  decode(adts: Uint8Array): DecodedSound | null;
  close(): void;
}

export function createSoundDecoder(ffmpeg: Ffmpeg, where: string): SoundDecoder {
  const { constants } = ffmpeg;
  const decoder = ffmpeg.Codec.findDecoder(constants.AV_CODEC_ID_AAC);
  if (!decoder) throw new SensorError("no decoder for AAC in node-av", { retry: false });
  const context = new ffmpeg.CodecContext();
  context.allocContext3(decoder);
  context.threadCount = 1;
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(decoder), "starting the AAC decoder");
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const packet = new ffmpeg.Packet();
  packet.alloc();

  const checked = (result: number): void => {
    if (result >= 0) return;
    context.flushBuffers();
    const what = `an AAC frame that does not decode (${ffmpeg.FFmpegError.strerror(result)})`;
    throw new ProtocolError({ where, what, allowed: "whole frames", kind: "frame" });
  };

  return {
    begin: () => context.flushBuffers(),
    decode(adts) {
      packet.data = Buffer.from(adts.buffer, adts.byteOffset, adts.byteLength);
      const sent = context.sendPacketSync(packet);
      packet.unref();
      checked(sent);
      const result = context.receiveFrameSync(frame);
      if (result === constants.AVERROR_EAGAIN) return null;
      checked(result);
      const { channels, nbSamples: samples, sampleRate: sampleRateHz, extendedData } = frame;
      if (frame.format !== constants.AV_SAMPLE_FMT_FLTP || !extendedData) {
        const what = `sound in sample format number ${frame.format}`;
        throw new ProtocolError({ where, what, allowed: "planar floats", kind: "frame" });
      }
      return { channels, samples, sampleRateHz, planes: extendedData };
    },
    close() {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
}
