/**
 * A microphone that needs no microphone: white noise, paced by its own sample clock.
 *
 * Device time counts samples. Sample n of channel c is `noise(n * channels + c)`, so a reader can
 * check every value of a block against its device time.
 */
import { z } from "zod";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { pace } from "./pace.ts";
import { type SensorKind, sensorConfig } from "./sensor.ts";

const config = sensorConfig({
  sampleRateHz: z.number().int().min(1).max(1_000_000).default(48_000),
  channels: z.number().int().min(1).max(64).default(2),
  frameSamples: z.number().int().min(1).max(1_048_576).default(1024),
});

type Config = z.infer<typeof config>;

/** As sound hardware does, blocks wait in a buffer while we are late; after a second some are lost. */
const bufferedNs = 1_000_000_000n;

export const randMicrophone: SensorKind<Config> = {
  kind: "rand-microphone",
  summary: "white noise as sound, float32 (channels, frameSamples)",
  config,
  streams: (config) => [{ name: config.name, spec: spec(config) }],

  async run(config, { signal, counters, stream }) {
    const { sampleRateHz, channels, frameSamples } = config;
    const writer = stream(config.name, spec(config));
    const block = new Float32Array(channels * frameSamples);
    const rate = sampleRateHz / frameSamples;
    const blockNs = BigInt(Math.round(1e9 / rate));
    counters.skipped = 0;
    // A block is there when its last sample is: one block after its first.
    const firstDueNs = monotonicNs() + blockNs;
    for await (const tick of pace(rate, firstDueNs, { signal, catchUpNs: bufferedNs })) {
      counters.skipped += tick.skipped;
      const firstSample = tick.index * frameSamples;
      fillBlock(block, firstSample, channels, frameSamples);
      writer.publish(block, {
        deviceTime: BigInt(firstSample),
        captureTimeNs: tick.dueNs - blockNs,
        timeErrorNs: 0n,
      });
    }
  },
};

function spec({ sampleRateHz, channels, frameSamples }: Config): StreamSpec {
  return {
    kind: "audio",
    dtype: "<f4",
    shape: [channels, frameSamples],
    dims: ["channel", "sample"],
    rate: sampleRateHz / frameSamples,
    sampleRateHz,
    channels,
    clock: { name: "sample clock", unit: "sample", epoch: "start", method: "local" },
    source: { kind: "rand-microphone" },
  };
}

function fillBlock(block: Float32Array, firstSample: number, channels: number, samples: number) {
  for (let channel = 0; channel < channels; channel++) {
    const row = channel * samples;
    for (let i = 0; i < samples; i++) {
      block[row + i] = noise((firstSample + i) * channels + channel);
    }
  }
}

/** 32 bits of an integer hash (lowbias32 of Chris Wellons) as a number from -1 up to, not including, 1. */
export function noise(n: number): number {
  let x = n | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) / 2 ** 31;
}
