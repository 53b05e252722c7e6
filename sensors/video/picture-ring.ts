/** Decoded pictures into the ring, converted straight into the slot. A new size is a new generation. */
import {
  type FieldSpec,
  fieldsBytes,
  frameBytes,
  type StreamSpec,
} from "../../src/ring/descriptor.ts";
import { encodeFields, layOutFields } from "../../src/ring/fields.ts";
import type { FrameMeta, RingWriter } from "../../src/ring.ts";
import { type SensorContext, SensorError } from "../sensor.ts";
import type { Ffmpeg, Frame } from "./ffmpeg.ts";
import { createPictureConversion, overrunBytes } from "./picture-conversion.ts";
import { fits, layoutOf, type PixelFormat } from "./pixel-formats.ts";

/** What the source knows of itself, the same for every picture of a connection. */
export interface PictureOrigin {
  rate: number | null;
  clock: NonNullable<StreamSpec["clock"]>;
  /** Unit of `pts` and `duration`. */
  ticks: string;
  source: Record<string, unknown>;
}

export interface PictureSettings {
  pixelFormat: PixelFormat;
  width?: number | undefined;
  height?: number | undefined;
}

/** What is known of one picture besides its bytes. */
export interface PictureMeta extends Omit<FrameMeta, "fields" | "shape"> {
  /** When its packet was here, live sources only. */
  arrivalTimeNs?: bigint | undefined;
}

export interface PictureRing {
  /** Takes a slot and converts the picture into it. `publish` or `discard` must follow. */
  place(frame: Frame, origin: PictureOrigin): void;
  publish(meta: PictureMeta): void;
  discard(): void;
  close(): void;
}

const unknown = 0xffff_ffff_ffff_ffffn;

export function pictureFields(ticks: string): FieldSpec[] {
  return layOutFields([
    { name: "pts", dtype: "<i8", unit: ticks },
    { name: "duration", dtype: "<i8", unit: ticks },
    { name: "arrival_time_ns", dtype: "<u8", unit: "ns" },
    { name: "key_frame", dtype: "|u1" },
    { name: "picture_type", dtype: "|u1", unit: "ASCII" },
  ]);
}

export function createPictureRing(
  ffmpeg: Ffmpeg,
  context: SensorContext,
  settings: PictureSettings,
): PictureRing {
  const conversion = createPictureConversion(ffmpeg, settings.pixelFormat);
  let writer: RingWriter | null = null;
  let made = { width: 0, height: 0, origin: null as PictureOrigin | null, spec: "" };
  let bytes = 0;
  let fields: FieldSpec[] = [];
  let fieldBytes = new Uint8Array(0);
  let placed: Frame | null = null;

  const renew = (frame: Frame, origin: PictureOrigin) => {
    const { width, height } = frame;
    if (width === made.width && height === made.height && origin === made.origin) return;
    const size = targetSize(frame, settings);
    if (!fits(settings.pixelFormat, size)) {
      throw new SensorError(
        `nv12 needs an even width and height, the picture has ${size.width} x ${size.height}: ` +
          "set `width` and `height`, or another `pixelFormat`",
        { retry: false },
      );
    }
    fields = pictureFields(origin.ticks);
    const spec: StreamSpec = {
      kind: "video",
      ...layoutOf(settings.pixelFormat, size),
      pixelFormat: settings.pixelFormat,
      rate: origin.rate,
      clock: origin.clock,
      fields,
      source: { ...origin.source, width, height },
    };
    const unchanged = made.spec === JSON.stringify(spec); // connected again, or the next round of a film
    made = { width, height, origin, spec: JSON.stringify(spec) };
    if (unchanged) return;
    bytes = frameBytes(spec);
    writer = context.stream(context.name, spec, { payloadCapacity: bytes + overrunBytes });
    fieldBytes = new Uint8Array(fieldsBytes(fields));
    conversion.prepare(size);
  };

  return {
    place(frame, origin) {
      renew(frame, origin);
      const ring = writer as RingWriter;
      const slot = ring.acquire();
      placed = frame;
      const result = conversion.convert(frame, slot);
      if (result >= 0) return;
      ring.abort();
      throw new SensorError(
        `FFmpeg cannot convert this picture to ${settings.pixelFormat}: ` +
          ffmpeg.FFmpegError.strerror(result),
        { retry: false },
      );
    },
    publish({ arrivalTimeNs, ...meta }) {
      const frame = placed as Frame;
      encodeFields(fieldBytes, fields, {
        pts: frame.bestEffortTimestamp,
        duration: frame.duration,
        arrival_time_ns: arrivalTimeNs ?? unknown,
        key_frame: frame.keyFrame,
        picture_type: letters[frame.pictType] ?? 63,
      });
      (writer as RingWriter).commit(bytes, { ...meta, fields: fieldBytes });
    },
    discard: () => writer?.abort(),
    close: () => conversion.close(),
  };
}

/** AVPictureType as a letter: none, I, P, B. */
const letters = [..."?IPB"].map((letter) => letter.charCodeAt(0));

/** One of two given sizes keeps the picture's proportions; even, so that every format has it. */
function targetSize(frame: Frame, { width, height }: PictureSettings) {
  const even = (size: number) => Math.max(2, 2 * Math.round(size / 2));
  return {
    width: width ?? (height ? even((frame.width * height) / frame.height) : frame.width),
    height: height ?? (width ? even((frame.height * width) / frame.width) : frame.height),
  };
}
