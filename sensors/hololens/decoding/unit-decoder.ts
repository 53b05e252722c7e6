/**
 * Access units to whole pictures. Nothing comes out before a key frame, nor after damage until the next:
 * FFmpeg would show what it makes up for the missing parts.
 *
 * Seen as damage: what does not decode (`explode`: as an error, not concealed), what the decoder marks,
 * a missing reference. Not seen, since nothing can see it: bits that changed inside an H.265 slice, or
 * its missing end, and still decode. TCP guards against the first, the payload's size against the second.
 */

import { SensorError } from "../../sensor.ts";
import type { CodecContext, Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import { inspectAccessUnit, type VideoCodec } from "../wire/access-unit.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { createFrameNumbers } from "./h264-frame-numbers.ts";
import { createParameterSets } from "./parameter-sets.ts";

export interface UnitDecoder<Note> {
  /** What was decoded before says nothing about what comes. */
  begin(): void;
  /**
   * Copies the coded bytes once (FFmpeg reads beyond their end, where the next packet may lie).
   * `note` comes back with the unit's picture. Throws a ProtocolError `frame` for a unit that does not
   * decode; what follows it is left out up to the next key frame.
   */
  decode(unit: Uint8Array, note: Note): void;
  close(): void;
}

export interface UnitDecoderOptions<Note> {
  /** For errors: the stream. */
  where: string;
  codec: VideoCodec;
  threads?: number;
  /** A stream that claims more has its units refused, before memory is taken for them. */
  largest: { width: number; height: number };
  /** Valid until it returns. Of usual encoders one for each unit, at once. */
  picture(frame: Frame, note: Note): void;
  /** This unit gives no picture: the key frame is still to come, or went wrong. */
  dropped(note: Note): void;
}

/** An encoder that lets pictures wait holds back fewer (16 is the most that both standards have). */
const mostWaiting = 17;

export function createUnitDecoder<Note>(
  ffmpeg: Ffmpeg,
  options: UnitDecoderOptions<Note>,
): UnitDecoder<Note> {
  const { constants } = ffmpeg;
  const numbers = options.codec === "h264" ? createFrameNumbers() : null;
  const sets = createParameterSets(options.codec);
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const packet = new ffmpeg.Packet();
  packet.alloc();
  let context = openDecoder(ffmpeg, options);
  let whole = false;
  let sent = 0n;
  /** Units whose picture is still to come, in their order. */
  let waiting: { number: bigint; note: Note }[] = [];

  const begin = () => {
    for (const { note } of waiting) options.dropped(note);
    waiting = [];
    if (whole) context.flushBuffers();
    whole = false;
  };

  const damage = (why: string): never => {
    waiting = waiting.filter(({ number }) => number !== sent); // its own error says what became of it
    begin();
    // A flush is not enough: after a broken slice, H.264's next key frame has wrong pixels (FFmpeg 8).
    context.freeContext();
    context = openDecoder(ffmpeg, options);
    sets.forgotten();
    throw new ProtocolError({
      where: options.where,
      what: `a unit of ${options.codec} that does not decode (${why})`,
      allowed: "whole ones; it goes on at the next key frame",
      kind: "frame",
    });
  };

  /** Null: no more pictures for now. */
  const received = (): Frame | null => {
    const result = context.receiveFrameSync(frame);
    if (result === constants.AVERROR_EAGAIN) return null;
    if (result < 0) damage(ffmpeg.FFmpegError.strerror(result));
    const corrupt = (frame.flags & constants.AV_FRAME_FLAG_CORRUPT) !== 0;
    if (corrupt || frame.decodeErrorFlags !== 0) damage("the decoder marks the picture");
    return frame;
  };

  const send = (unit: Uint8Array): number => {
    packet.data = Buffer.from(unit.buffer, unit.byteOffset, unit.byteLength);
    packet.pts = sent;
    packet.dts = sent;
    const result = context.sendPacketSync(packet);
    packet.unref();
    return result;
  };

  const give = (picture: Frame) => {
    while (waiting[0] && waiting[0].number <= picture.pts) {
      const { number, note } = waiting.shift() as { number: bigint; note: Note };
      if (number === picture.pts) options.picture(picture, note);
      else options.dropped(note);
    }
  };

  return {
    begin,
    decode(unit, note) {
      const { keyFrame } = inspectAccessUnit(options.codec, unit);
      if (!whole && !keyFrame) return options.dropped(note);
      whole = true;
      sent += 1n;
      if (numbers && !numbers.follows(unit)) damage("the picture before it is missing");
      waiting.push({ number: sent, note });
      const result = send(keyFrame ? sets.with(unit) : unit);
      if (result < 0) damage(ffmpeg.FFmpegError.strerror(result));
      for (let picture = received(); picture; picture = received()) give(picture);
      if (waiting.length > mostWaiting) damage("no pictures come out of the decoder");
    },
    close() {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
}

function openDecoder<Note>(
  { constants, ...ffmpeg }: Ffmpeg,
  { codec, threads = 1, largest }: UnitDecoderOptions<Note>,
): CodecContext {
  const id = codec === "h264" ? constants.AV_CODEC_ID_H264 : constants.AV_CODEC_ID_HEVC;
  const decoder = ffmpeg.Codec.findDecoder(id);
  if (!decoder) throw new SensorError(`no decoder for ${codec} in node-av`, { retry: false });
  const context = new ffmpeg.CodecContext();
  context.allocContext3(decoder);
  context.threadCount = threads;
  context.threadType = constants.FF_THREAD_SLICE; // by frames, each thread holds one back
  context.setFlags(constants.AV_CODEC_FLAG_LOW_DELAY);
  context.setOption("err_detect", "explode");
  // Coded sizes are multiples of up to 64.
  const side = (length: number) => Math.ceil(length / 64) * 64;
  context.setOption("max_pixels", String(side(largest.width) * side(largest.height)));
  const result = context.open2Sync(decoder);
  if (result >= 0) return context;
  context.freeContext();
  const words = ffmpeg.FFmpegError.strerror(result);
  throw new SensorError(`the ${codec} decoder does not start: ${words}`, { retry: false });
}
