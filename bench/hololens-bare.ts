/**
 * What a stream's packets cost without the sensor: the same library, one thread, into private memory.
 * Nothing that can be prepared is done in the loop: packets are made and split before.
 */
import { unpackZdepth } from "../sensors/hololens/decoding/pixels.ts";
import { type AhatParts, ahatSide, splitAhat } from "../sensors/hololens/wire/ahat-payload.ts";
import { depthProfiles, videoProfiles } from "../sensors/hololens/wire/codes.ts";
import { splitLongthrow } from "../sensors/hololens/wire/longthrow-payload.ts";
import type { Packet } from "../sensors/hololens/wire/packet.ts";
import { splitVideo } from "../sensors/hololens/wire/video-payload.ts";
import { splitVlc } from "../sensors/hololens/wire/vlc-payload.ts";
import { inflateZdepth } from "../sensors/hololens/wire/zdepth.ts";
import type { CodecContext, Ffmpeg, Frame } from "../sensors/video/ffmpeg.ts";
import { overrunBytes } from "../sensors/video/picture-conversion.ts";
import { configOf, type StreamCase } from "./hololens-cases.ts";

/** Takes the next packet, counted on over all rounds. */
export type Bare = (number: number) => void;

export function bareLoop(ffmpeg: Ffmpeg, measured: StreamCase, packets: Packet[]): Bare {
  const { stream } = measured;
  const payloads = packets.map(({ payload }) => payload);
  if (stream === "pv") return bareVideo(ffmpeg, measured, payloads);
  if (stream.startsWith("vlc-")) return bareGrey(ffmpeg, payloads);
  if (stream === "depth-ahat") return bareAhat(ffmpeg, measured, payloads);
  if (stream === "depth-longthrow") return barePng(ffmpeg, payloads);
  if (stream === "microphone") return bareSound(ffmpeg, payloads);
  const memory = new Uint8Array(64 * 1024);
  return (number) => memory.set(payloads[number % payloads.length] as Uint8Array);
}

function bareVideo(ffmpeg: Ffmpeg, measured: StreamCase, payloads: Uint8Array[]): Bare {
  const { constants } = ffmpeg;
  const { width, height } = configOf(measured).pv;
  const units = payloads.map((payload) => imageOf(splitVideo(payload, measured.stream)));
  const target = pictureOf(ffmpeg, { width, height }, constants.AV_PIX_FMT_BGR24, 3);
  const decode = decoder(ffmpeg, constants.AV_CODEC_ID_HEVC, units);
  return scaling(ffmpeg, decode, target);
}

function bareGrey(ffmpeg: Ffmpeg, payloads: Uint8Array[]): Bare {
  const { constants } = ffmpeg;
  const profile = videoProfiles["h265-main"];
  const units = payloads.map((payload) => imageOf(splitVlc(payload, { profile, where: "vlc" })));
  const target = pictureOf(ffmpeg, { width: 640, height: 480 }, constants.AV_PIX_FMT_GRAY8, 1);
  const decode = decoder(ffmpeg, constants.AV_CODEC_ID_HEVC, units);
  return scaling(ffmpeg, decode, target);
}

/** No library has Zdepth: its loop over pixels is the project's own here too. */
function bareAhat(ffmpeg: Ffmpeg, measured: StreamCase, payloads: Uint8Array[]): Bare {
  const where = measured.stream;
  const depthProfile = depthProfiles[configOf(measured).ahat.depthProfile];
  const profile = videoProfiles["h265-main"];
  const parts = payloads.map((payload) => {
    const split = splitAhat(payload, { profile, depthProfile, where });
    if (!split) throw new Error("a payload without a picture");
    return split;
  });
  const units = parts.map(({ ab }) => ab);
  const decode = decoder(ffmpeg, ffmpeg.constants.AV_CODEC_ID_HEVC, units);
  if (depthProfile !== depthProfiles.zdepth) return (number) => decode(number, () => {});
  const expected = { width: ahatSide, height: ahatSide };
  const memory = new Uint8Array(2 * ahatSide ** 2);
  return (number) => {
    const { depth } = parts[number % parts.length] as AhatParts;
    unpackZdepth(inflateZdepth(depth, { expected, where }), memory, where);
    decode(number, () => {});
  };
}

function barePng(ffmpeg: Ffmpeg, payloads: Uint8Array[]): Bare {
  const files = payloads.map((payload) => splitLongthrow(payload, "bench").png);
  const decode = decoder(ffmpeg, ffmpeg.constants.AV_CODEC_ID_PNG, files);
  return (number) => decode(number, () => {});
}

function bareSound(ffmpeg: Ffmpeg, payloads: Uint8Array[]): Bare {
  const memory = new Uint8Array(2 * 4096);
  const decode = decoder(ffmpeg, ffmpeg.constants.AV_CODEC_ID_AAC, payloads);
  const copy = (frame: Frame) => {
    for (const [i, plane] of (frame.extendedData ?? []).entries()) {
      memory.set(plane.subarray(0, 4096), 4096 * i);
    }
  };
  return (number) => decode(number, copy);
}

type Decode = (number: number, decoded: (frame: Frame) => void) => void;

function decoder(ffmpeg: Ffmpeg, id: number, units: Uint8Array[]): Decode {
  const codec = ffmpeg.Codec.findDecoder(id as never);
  if (!codec) throw new Error("node-av has no such decoder");
  const context: CodecContext = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(codec), "starting the decoder");
  const packets = units.map((unit) => {
    const packet = new ffmpeg.Packet();
    packet.alloc();
    packet.data = Buffer.from(unit);
    return packet;
  });
  const frame = new ffmpeg.Frame();
  frame.alloc();
  return (number, decoded) => {
    const packet = packets[number % packets.length] as (typeof packets)[number];
    ffmpeg.FFmpegError.throwIfError(context.sendPacketSync(packet), "decoding");
    while (context.receiveFrameSync(frame) >= 0) decoded(frame);
  };
}

/** A frame points into it and does not hold it. */
const kept: Buffer[] = [];

function pictureOf(
  ffmpeg: Ffmpeg,
  { width, height }: { width: number; height: number },
  format: number,
  bytesPerPixel: number,
): Frame {
  const target = new ffmpeg.Frame();
  target.alloc();
  target.width = width;
  target.height = height;
  target.format = format as Frame["format"];
  const memory = Buffer.alloc(width * height * bytesPerPixel + overrunBytes);
  target.fromBuffer(memory);
  kept.push(memory);
  return target;
}

function scaling(ffmpeg: Ffmpeg, decode: Decode, target: Frame): Bare {
  const scaler = new ffmpeg.SoftwareScaleContext();
  scaler.allocContext();
  const scale = (frame: Frame) => {
    ffmpeg.FFmpegError.throwIfError(scaler.scaleFrameSync(target, frame), "scaling");
  };
  return (number) => decode(number, scale);
}

function imageOf(parts: { image: Uint8Array } | null): Uint8Array {
  if (!parts) throw new Error("a payload without a picture");
  return parts.image;
}
