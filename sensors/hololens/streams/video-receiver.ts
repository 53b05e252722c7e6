/**
 * Personal and extended video: coded or raw pictures of any size into one ring.
 *
 * Copies of a frame: the coded bytes once, into the decoder's own memory; the picture once, as FFmpeg
 * converts what it decoded into the slot (twice where rows must be cut: picture-conversion.ts). A raw
 * picture is converted from where it was received.
 *
 * Colour: matrix and range are what the stream says. Where it says nothing, BT.601 and limited range: so
 * both standards and every other reader of such a stream have it (the camera reports BT.601 and full
 * range, but nobody has seen whether its encoder does as the camera says).
 */
import type { FieldSpec, StreamSpec } from "../../../src/ring/descriptor.ts";
import { frameBytes } from "../../../src/ring/descriptor.ts";
import type { RingWriter } from "../../../src/ring.ts";
import type { PlannedStream } from "../../sensor.ts";
import type { Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import { createPictureConversion, overrunBytes } from "../../video/picture-conversion.ts";
import { fits, layoutOf, type PixelFormat } from "../../video/pixel-formats.ts";
import { openLibrary } from "../decoding/library.ts";
import { createRawPictures } from "../decoding/raw-pictures.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { splitVideo, type VideoFooter } from "../wire/video-payload.ts";
import { createCodedReceiver, type Taken } from "./coded-receiver.ts";
import { createFrameMetas } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup } from "./receiver.ts";

export interface VideoStream {
  /** Of the protocol. */
  profile: number;
  pixelFormat: PixelFormat;
  rate: number;
  fields: FieldSpec[];
  values(
    footer: VideoFooter,
    keyFrame: boolean,
  ): Record<string, number | bigint | number[] | bigint[]>;
}

type Picture = Taken<{ image: Uint8Array; footer: VideoFooter }>;

const largest = { width: 4096, height: 4096 };
const colour = "as the stream says; where it says nothing: BT.601, limited range";

export async function openVideo(setup: ReceiverSetup, stream: VideoStream): Promise<Receiver> {
  const library = await openLibrary(setup.context);
  const { ffmpeg } = library;
  const raw = createRawPictures(ffmpeg, setup.stream);
  const pictures = createVideoRing(ffmpeg, setup, stream);
  return createCodedReceiver(ffmpeg, setup, {
    profile: stream.profile,
    largest,
    split: (payload) => splitVideo(payload, setup.stream),
    codedOf: ({ image }) => image,
    decoded: pictures.publish,
    raw: (taken) => pictures.publish(raw.frameOf(taken.parts.image, taken.parts.footer), taken),
    begin: pictures.begin,
    close() {
      pictures.close();
      raw.close();
      library.close();
    },
  });
}

interface VideoRing {
  begin(): void;
  publish(frame: Frame, picture: Picture): void;
  close(): void;
}

function createVideoRing(ffmpeg: Ffmpeg, setup: ReceiverSetup, stream: VideoStream): VideoRing {
  const conversion = createPictureConversion(ffmpeg, stream.pixelFormat);
  const metas = createFrameMetas(setup, stream.fields);
  const where = setup.stream;
  let writer: RingWriter | null = null;
  let made = { width: 0, height: 0, bytes: 0 };

  const renew = ({ width, height }: Frame): RingWriter => {
    if (writer && width === made.width && height === made.height) return writer;
    const size = { width, height };
    const spec = videoSpec(setup, stream, size);
    const bytes = frameBytes(spec);
    writer = setup.context.stream(setup.ring, spec, { payloadCapacity: bytes + overrunBytes });
    conversion.prepare(size);
    made = { ...size, bytes };
    return writer;
  };

  const check = (frame: Frame, { width, height }: VideoFooter) => {
    const decoded = `${frame.width}x${frame.height}`;
    const wrong = (what: string, allowed: string) => {
      throw new ProtocolError({ where, what, allowed, kind: "frame" });
    };
    if (decoded !== `${width}x${height}`)
      wrong(`a picture of ${decoded}`, `${width}x${height}, as announced`);
    if (fits(stream.pixelFormat, frame)) return;
    wrong(
      `${decoded} for pixel format ${stream.pixelFormat}`,
      "even sides, or another `pixelFormat`",
    );
  };

  return {
    begin: metas.begin,
    publish(frame, picture) {
      const { footer } = picture.parts;
      check(frame, footer);
      if (!picture.publish || !metas.inOrder(picture)) return;
      const ring = renew(frame);
      const result = conversion.convert(frame, ring.acquire());
      if (result < 0) {
        ring.abort();
        const why = ffmpeg.FFmpegError.strerror(result);
        const what = `a picture that FFmpeg cannot convert (${why})`;
        throw new ProtocolError({ where, what, allowed: stream.pixelFormat, kind: "frame" });
      }
      const values = stream.values(footer, frame.keyFrame === 1);
      ring.commit(made.bytes, metas.of(picture, values));
    },
    close: conversion.close,
  };
}

export function videoSpec(
  { described }: Pick<ReceiverSetup, "described">,
  { pixelFormat, rate, fields }: VideoStream,
  size: { width: number; height: number },
): StreamSpec {
  return {
    kind: "video",
    ...layoutOf(pixelFormat, size),
    pixelFormat,
    rate,
    fields,
    ...described,
    source: { ...described.source, ...size, colour },
  };
}

/** The size that was asked for; what comes decides. */
export function planVideo(
  ring: string,
  stream: VideoStream,
  size: { width: number; height: number },
): PlannedStream[] {
  const { source: _, ...spec } = videoSpec({ described: {} }, stream, size);
  return [{ name: ring, spec }];
}
