/**
 * A camera that needs no camera: noise of any size and rate, made straight in the ring's slot.
 *
 * The first 8 bytes of a frame are its sequence (little-endian), each following 8-byte word is
 * `mix(sequence + i * 0x9E3779B97F4A7C15)` (native/noise.c), so any reader can check every word.
 */
import { z } from "zod";
import { localClock, type StreamSpec } from "../src/ring/descriptor.ts";
import { fillNoise, monotonicNs } from "../src/ring/ffi.ts";
import { pace } from "./pace.ts";
import { type SensorKind, sensorConfig } from "./sensor.ts";

const config = sensorConfig({
  width: z.number().int().min(1).max(16384).default(1280),
  height: z.number().int().min(1).max(16384).default(720),
  fps: z.number().min(0.001).max(1000).default(30),
});

type Config = z.infer<typeof config>;

export const randCamera: SensorKind<Config> = {
  kind: "rand-camera",
  summary: "noise as a picture, uint8 (height, width, 3) bgr24, any size and rate",
  config,
  streams: (config) => [{ name: config.name, spec: spec(config) }],

  async run(config, { signal, counters, stream }) {
    const { width, height, fps } = config;
    const frameBytes = width * height * 3;
    const writer = stream(config.name, spec(config));
    counters.skipped = 0;
    for await (const tick of pace(fps, monotonicNs(), { signal })) {
      counters.skipped += tick.skipped;
      const captureTimeNs = monotonicNs();
      const slot = writer.acquire();
      fillNoise(slot.subarray(0, frameBytes), writer.sequence + 1n);
      writer.commit(frameBytes, { deviceTime: captureTimeNs, captureTimeNs, timeErrorNs: 0n });
    }
  },
};

function spec({ width, height, fps }: Config): StreamSpec {
  return {
    kind: "video",
    dtype: "|u1",
    shape: [height, width, 3],
    dims: ["height", "width", "channel"],
    pixelFormat: "bgr24",
    rate: fps,
    clock: localClock,
    source: { kind: "rand-camera" },
  };
}
