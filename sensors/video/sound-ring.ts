/** Samples into the ring `<name>.audio`: float32 (channels, 1024), each block with the time of its first sample. */
import type { StreamSpec } from "../../src/ring/descriptor.ts";
import { encodeFields, layOutFields } from "../../src/ring/fields.ts";
import type { FrameMeta, RingWriter } from "../../src/ring.ts";
import type { SensorContext } from "../sensor.ts";
import { type Block, createSoundBlocks, type SoundBlocks } from "../sound-blocks.ts";
import type { Samples } from "./sound-decoder.ts";

export const blockSamples = 1024;

export interface SoundOrigin {
  /** A clock counted in samples; `epoch` says from when. */
  epoch: string;
  method: "one-way" | "local";
  source: Record<string, unknown>;
  /** Whether it comes from a network or a device, and so has arrivals. */
  live: boolean;
}

/** A block that waits to be published. */
export interface PlacedBlock {
  block: Block;
  /** Of its first sample, and where the next block begins, in the track's time. */
  mediaNs: bigint;
  endNs: bigint;
}

export interface SoundRing {
  /** Blocks that are full with these samples. A gap in the track's time ends a block early. */
  push(samples: Samples, origin: SoundOrigin): Generator<PlacedBlock>;
  /** The shorter block at the end. */
  flush(): Generator<PlacedBlock>;
  publish(placed: PlacedBlock, meta: BlockMeta): void;
}

export interface BlockMeta extends Omit<FrameMeta, "shape" | "fields" | "deviceTime"> {
  /** When the packet that filled it was here, live sources only. */
  arrivalTimeNs?: bigint | undefined;
}

const arrivalFields = layOutFields([{ name: "arrival_time_ns", dtype: "<u8", unit: "ns" }]);

/** Rounded timestamps (1 ms in Matroska) are no gap; a lost packet is at least 2.5 ms, mostly 20. */
const gapNs = 2_000_000n;

export function createSoundRing(context: SensorContext): SoundRing {
  let writer: RingWriter | null = null;
  let made = { kind: "", origin: null as SoundOrigin | null, spec: "" };
  let blocks: SoundBlocks | null = null;
  let channels = 0;
  let sampleRateHz = 1;
  /** The track's time of sample number `firstSample` of `blocks`. */
  let anchor = { mediaNs: 0n, firstSample: 0 };
  let pushed = 0;

  const nsOf = (samples: number) => BigInt(Math.round((samples * 1e9) / sampleRateHz));
  const mediaNsOf = (sample: number) => anchor.mediaNs + nsOf(sample - anchor.firstSample);

  const place = (block: Block): PlacedBlock => ({
    block,
    mediaNs: mediaNsOf(block.firstSample),
    endNs: mediaNsOf(block.firstSample + block.samples),
  });

  const renew = (samples: Samples, origin: SoundOrigin) => {
    ({ channels, sampleRateHz } = samples);
    const spec: StreamSpec = {
      kind: "audio",
      dtype: "<f4",
      shape: [channels, blockSamples],
      dims: ["channel", "sample"],
      rate: sampleRateHz / blockSamples,
      sampleRateHz,
      channels,
      clock: {
        name: "audio track",
        unit: `1/${sampleRateHz} s`,
        epoch: origin.epoch,
        method: origin.method,
      },
      source: { ...origin.source, layout: samples.layout },
      ...(origin.live && { fields: arrivalFields }),
    };
    const unchanged = made.spec === JSON.stringify(spec);
    made = { kind: kindOf(samples), origin, spec: JSON.stringify(spec) };
    if (!unchanged) writer = context.stream(`${context.name}.audio`, spec);
  };

  function* flush(): Generator<PlacedBlock> {
    for (const block of blocks?.flush() ?? []) yield place(block);
    blocks = null;
  }

  return {
    *push(samples, origin) {
      const other = kindOf(samples) !== made.kind || origin !== made.origin;
      const expectedNs = mediaNsOf(pushed);
      const mediaNs = samples.mediaNs ?? expectedNs;
      const apart = mediaNs > expectedNs ? mediaNs - expectedNs : expectedNs - mediaNs;
      if (other || apart > gapNs) yield* flush();
      if (other) renew(samples, origin);
      if (!blocks) {
        blocks = createSoundBlocks(channels, blockSamples);
        anchor = { mediaNs, firstSample: 0 };
        pushed = 0;
      }
      pushed += samples.samples;
      for (const block of blocks.push(samples.planes, samples.samples)) yield place(block);
    },
    flush,
    publish({ block, mediaNs }, { arrivalTimeNs, ...meta }) {
      const ticks = (mediaNs * BigInt(sampleRateHz) + 500_000_000n) / 1_000_000_000n;
      (writer as RingWriter).publish(block.data, {
        ...meta,
        deviceTime: ticks < 0n ? undefined : ticks,
        fields: arrivalTimeNs === undefined ? undefined : arrivalBytes(arrivalTimeNs),
        shape: block.samples === blockSamples ? undefined : [channels, block.samples],
      });
    },
  };
}

function arrivalBytes(arrivalTimeNs: bigint): Uint8Array {
  return encodeFields(new Uint8Array(8), arrivalFields, { arrival_time_ns: arrivalTimeNs });
}

const kindOf = ({ sampleRateHz, channels, layout }: Samples) =>
  `${sampleRateHz} ${channels} ${layout}`;
