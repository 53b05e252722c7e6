/** Sound into the ring `<name>.audio`: float32 (channels, frameSamples), whatever the sender's frames are. Nothing is cut off. */
import { type FieldSpec, fieldsBytes } from "../../../src/ring/descriptor.ts";
import { type Handle, memoryAt } from "../../../src/ring/ffi.ts";
import { encodeFields, layOutFields } from "../../../src/ring/fields.ts";
import type { RingWriter } from "../../../src/ring.ts";
import { type Block, createSoundBlocks, type SoundBlocks } from "../../sound-blocks.ts";
import { type AudioFrame, fourCC } from "../libndi/structs.ts";
import { isKnown, lagOf, ndiClock, stampOf, ticksPerSecond, ticksUnit } from "./clock.ts";
import type { Origin } from "./pictures.ts";

export interface Sound {
  /** The frame is libndi's and is not freed here. What cannot be used is left out and counted. */
  take(frame: AudioFrame, arrivalNs: bigint): void;
  /** The sender is gone: what is left becomes a shorter frame. */
  flush(): void;
}

const fields: FieldSpec[] = layOutFields([
  { name: "timecode", dtype: "<i8", unit: ticksUnit },
  { name: "timestamp", dtype: "<i8", unit: ticksUnit },
  { name: "arrival_time_ns", dtype: "<u8", unit: "ns" },
]);

/** What is beyond is a fault, and must not take the machine's memory. */
const channelsMax = 256;
const samplesMax = 1 << 20;
const rateMaxHz = 1_000_000;
/** Timestamps are when a frame was sent, which wavers by some ms; samples that were lost are more than that. */
const gapTicks = BigInt(ticksPerSecond / 4);

/** The sender's stamps of one sample. */
interface Stamps {
  timecode: bigint;
  timestamp: bigint;
}

export function createSound({ context, config, clock, source }: Origin): Sound {
  const { frameSamples } = config;
  const lagNs = lagOf(config, "audio");
  const stamps = clock.stream({ lagNs });
  const fieldBytes = new Uint8Array(fieldsBytes(fields));
  let writer: RingWriter | null = null;
  let blocks: SoundBlocks | null = null;
  let made = { sampleRateHz: 0, channels: 0 };
  /** Samples pushed since `blocks` was made, and the stamps of the first one not published yet. */
  let pushed = 0;
  let begin: Stamps | null = null;
  let expectedTicks: bigint | null = null;
  let newestArrivalNs = 0n;

  const ticksOf = (samples: number) =>
    BigInt(Math.round((samples * ticksPerSecond) / made.sampleRateHz));
  const after = ({ timecode, timestamp }: Stamps, samples: number): Stamps => ({
    timecode: isKnown(timecode) ? timecode + ticksOf(samples) : timecode,
    timestamp: isKnown(timestamp) ? timestamp + ticksOf(samples) : timestamp,
  });

  const renew = ({ sampleRateHz, channels }: AudioFrame) => {
    made = { sampleRateHz, channels };
    writer = context.stream(`${context.name}.audio`, {
      kind: "audio",
      dtype: "<f4",
      shape: [channels, frameSamples],
      dims: ["channel", "sample"],
      rate: sampleRateHz / frameSamples,
      sampleRateHz,
      channels,
      clock: ndiClock,
      lagNs: String(lagNs),
      fields,
      source,
    });
  };

  const publish = ({ data, samples }: Block) => {
    const { timecode, timestamp } = begin as Stamps;
    encodeFields(fieldBytes, fields, { timecode, timestamp, arrival_time_ns: newestArrivalNs });
    (writer as RingWriter).publish(data, {
      ...stampOf(clock, stamps, timestamp, newestArrivalNs),
      fields: fieldBytes,
      shape: samples === frameSamples ? undefined : [made.channels, samples],
    });
  };

  const flush = () => {
    for (const block of blocks?.flush() ?? []) publish(block);
    blocks = null;
    expectedTicks = null;
  };

  const isGap = ({ timestamp }: AudioFrame) => {
    if (expectedTicks === null || !isKnown(timestamp)) return false;
    const apart = timestamp - expectedTicks;
    return apart > gapTicks || apart < -gapTicks;
  };

  return {
    take(frame, arrivalNs) {
      const why = wrongWith(frame);
      if (why !== null) {
        context.counters.unusableSound = (context.counters.unusableSound ?? 0) + 1;
        context.log.warn(`sound was left out: ${why}`);
        return;
      }
      const { sampleRateHz, channels, samples } = frame;
      const other = sampleRateHz !== made.sampleRateHz || channels !== made.channels;
      if (other || isGap(frame)) flush();
      if (other) renew(frame);
      if (!blocks) {
        blocks = createSoundBlocks(channels, frameSamples);
        pushed = 0;
        begin = null;
      }
      newestArrivalNs = arrivalNs;
      const first: Stamps = { timecode: frame.timecode, timestamp: frame.timestamp };
      begin ??= first;
      for (const block of blocks.push(planesOf(frame), samples)) {
        publish(block);
        const taken = block.firstSample + block.samples - pushed;
        // The next frame has a stamp of its own.
        begin = taken < samples ? after(first, taken) : null;
      }
      pushed += samples;
      expectedTicks = isKnown(first.timestamp) ? after(first, samples).timestamp : null;
    },
    flush,
  };
}

/** Views of libndi's memory, until the frame is freed. */
function planesOf({ data, channels, channelStrideBytes, samples }: AudioFrame): Float32Array[] {
  const bytes = channelStrideBytes * (channels - 1) + 4 * samples;
  const memory = memoryAt(data as Handle, bytes);
  return Array.from(
    { length: channels },
    (_, channel) => new Float32Array(memory, channel * channelStrideBytes, samples),
  );
}

function wrongWith(frame: AudioFrame): string | null {
  const { sampleRateHz, channels, samples, channelStrideBytes, data } = frame;
  if (frame.fourCC !== fourCC.FLTP) return "its format is not planar float32";
  if (data === 0) return "it has no data";
  if (channels < 1 || channels > channelsMax) return `${channels} channels; allowed: 1 to 256`;
  if (samples < 1 || samples > samplesMax) return `${samples} samples; allowed: 1 to ${samplesMax}`;
  if (sampleRateHz < 1 || sampleRateHz > rateMaxHz) {
    return `${sampleRateHz} samples a second; allowed: 1 to ${rateMaxHz}`;
  }
  if (channelStrideBytes >= 4 * samples && channelStrideBytes % 4 === 0) return null;
  return `its channels are ${channelStrideBytes} bytes apart, which does not suit ${samples} samples`;
}
