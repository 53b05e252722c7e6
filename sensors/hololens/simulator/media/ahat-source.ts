/** Near depth: the scene within reach, in the four variants that the two profiles make. */
import { ahatSide, encodeAhatPayload } from "../../wire/ahat-payload.ts";
import { videoCodec } from "../../wire/codes.ts";
import { depthSensorTicks } from "../../wire/device-time.ts";
import type { Source, SourceSetup } from "../source.ts";
import { plainCoder, videoCoder } from "./picture-coders.ts";
import { openRenderedLoop } from "./rendered-loop.ts";
import { gopSizeOf } from "./video-options.ts";

const framerate = 45;

export async function openAhatSource({ configuration }: SourceSetup<"ahat">): Promise<Source> {
  const { divisor, depthProfile, profile, level, bitrate, options } = configuration;
  const isRaw = videoCodec(profile) === "raw";
  const rate = framerate / divisor;
  const size = { width: ahatSide, height: ahatSide };
  const encoding = { ...size, rate, profile, level, bitrate, plainData: true };
  const what = { of: "ahat", depthProfile } as const;
  const assemble = ([depth, ab]: Uint8Array[]) => {
    const parts = { depth: depth as Uint8Array, ab: ab as Uint8Array, sensorTicks: 0n };
    return encodeAhatPayload(parts, { depthProfile, profile });
  };
  const loop = openRenderedLoop({
    framerate,
    divisor,
    key: JSON.stringify(["ahat", depthProfile, isRaw ? "raw" : encoding]),
    groupSize: isRaw ? 1 : gopSizeOf(options, rate),
    openCoder: () =>
      isRaw
        ? plainCoder({ ...what, as: "pixels" }, assemble)
        : videoCoder({ ...what, as: "picture" }, encoding, assemble),
  });
  return {
    periodSeconds: loop.periodSeconds,
    async payload({ seconds, ticks }) {
      const unit = await loop.unit(seconds);
      if (!unit) return null;
      const payload = new Uint8Array(unit);
      const end = new DataView(payload.buffer, payload.byteLength - 8);
      end.setBigUint64(0, depthSensorTicks(ticks), true);
      return payload;
    },
    close: loop.close,
  };
}
