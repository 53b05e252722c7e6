/** Pictures into the ring `<name>.video`, from libndi's memory into the slot in one pass. Another size or format is a new generation. */
import type { DeviceClock } from "../../../src/clock/device-clock.ts";
import { type FieldSpec, fieldsBytes, frameBytes } from "../../../src/ring/descriptor.ts";
import { type Handle, lib } from "../../../src/ring/ffi.ts";
import { encodeFields, layOutFields } from "../../../src/ring/fields.ts";
import type { RingWriter } from "../../../src/ring.ts";
import type { SensorContext } from "../../sensor.ts";
import type { NdiConfig } from "../config.ts";
import type { VideoFrame } from "../libndi/structs.ts";
import { lagOf, ndiClock, stampOf, ticksUnit } from "./clock.ts";
import { askedFor, type PictureLayout } from "./picture-layout.ts";
import type { StillPicture } from "./still-picture.ts";

export interface Pictures {
  /** The frame is libndi's and is not freed here. What cannot be shown is left out and counted. */
  take(frame: VideoFrame, arrivalNs: bigint): void;
}

export interface Origin {
  context: SensorContext;
  config: NdiConfig;
  clock: DeviceClock;
  /** For the descriptor. */
  source: Record<string, unknown>;
  /** Where a picture that never changes means something. */
  still?: StillPicture | undefined;
}

const fields: FieldSpec[] = layOutFields([
  { name: "timecode", dtype: "<i8", unit: ticksUnit },
  { name: "timestamp", dtype: "<i8", unit: ticksUnit },
  { name: "arrival_time_ns", dtype: "<u8", unit: "ns" },
  { name: "frame_rate", dtype: "<i4", shape: [2], unit: "1/s as a fraction" },
  { name: "aspect_ratio", dtype: "<f4", unit: "width / height of the picture" },
  { name: "frame_format", dtype: "|u1", unit: "1: whole, 2: even rows, 3: odd rows" },
]);

/** No sender has more: what is beyond is a fault, and must not take the machine's memory. */
const sideMax = 16_384;

export function createPictures({ context, config, clock, source, still }: Origin): Pictures {
  const { layouts } = askedFor[config.pixelFormat];
  const lagNs = lagOf(config, "video");
  const stamps = clock.stream({ lagNs });
  const fieldBytes = new Uint8Array(fieldsBytes(fields));
  let writer: RingWriter | null = null;
  let bytes = 0;
  let made = { width: 0, height: 0, rateN: 0, rateD: 0, pixelFormat: "" };

  const isAsMade = ({ width, height, rateN, rateD }: VideoFrame, layout: PictureLayout) =>
    width === made.width &&
    height === made.height &&
    layout.pixelFormat === made.pixelFormat &&
    rateN === made.rateN &&
    rateD === made.rateD;

  const renew = ({ width, height, rateN, rateD }: VideoFrame, layout: PictureLayout) => {
    const described = layout.describe({ width, height });
    bytes = frameBytes(described);
    writer = context.stream(`${context.name}.video`, {
      kind: "video",
      ...described,
      pixelFormat: layout.pixelFormat,
      rate: rateN > 0 && rateD > 0 ? rateN / rateD : null,
      clock: ndiClock,
      lagNs: String(lagNs),
      fields,
      source,
    });
    made = { width, height, rateN, rateD, pixelFormat: layout.pixelFormat };
  };

  const leaveOut = (why: string) => {
    context.counters.unusable = (context.counters.unusable ?? 0) + 1;
    context.log.warn(`a picture was left out: ${why}`);
  };

  /** Of libndi's memory, into the slot. False where the frame contradicts itself. */
  const fill = (slot: Uint8Array, frame: VideoFrame, layout: PictureLayout): boolean => {
    const { data, strideBytes, width, height } = frame;
    const rows = height * layout.planes;
    const given = [slot, slot.byteLength, data as Handle, strideBytes * rows] as const;
    const columns = width * layout.columnsPerPixel;
    return lib[layout.loop](...given, strideBytes, columns | 0, rows | 0) === 0;
  };

  return {
    take(frame, arrivalNs) {
      const layout = layouts[frame.fourCC];
      if (!layout) return leaveOut(`its format is ${fourLetters(frame)}, which was not asked for`);
      const why = wrongWith(frame, layout);
      if (why !== null) return leaveOut(why);
      if (!isAsMade(frame, layout)) renew(frame, layout);
      const ring = writer as RingWriter;
      const slot = ring.acquire();
      if (!fill(slot, frame, layout)) {
        ring.abort();
        return leaveOut("its rows do not fit its size");
      }
      still?.look(slot.subarray(0, bytes), performance.now());
      encodeFields(fieldBytes, fields, {
        timecode: frame.timecode,
        timestamp: frame.timestamp,
        arrival_time_ns: arrivalNs,
        frame_rate: [frame.rateN, frame.rateD],
        aspect_ratio: frame.aspectRatio,
        frame_format: frame.frameFormat,
      });
      const stamp = stampOf(clock, stamps, frame.timestamp, arrivalNs);
      ring.commit(bytes, { ...stamp, fields: fieldBytes });
    },
  };
}

function wrongWith(frame: VideoFrame, layout: PictureLayout): string | null {
  const { width, height, strideBytes, data } = frame;
  if (data === 0) return "it has no data";
  if (width < 1 || height < 1 || width > sideMax || height > sideMax) {
    return `it is said to be ${width} x ${height}; allowed: 1 to ${sideMax}`;
  }
  if (strideBytes >= width * layout.bytesPerPixel) return null;
  return `its rows are ${strideBytes} bytes apart, which is less than ${width} pixels need`;
}

function fourLetters({ bytes }: VideoFrame): string {
  return JSON.stringify(String.fromCharCode(...bytes.subarray(8, 12)));
}
