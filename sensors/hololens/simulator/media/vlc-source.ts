/** Grey cameras: the scene as each of them sees it. */
import { videoCodec } from "../../wire/codes.ts";
import { encodeVlcPayload, vlcHeight, vlcWidth } from "../../wire/vlc-payload.ts";
import type { Source, SourceSetup } from "../source.ts";
import type { GreyStream } from "./grey-picture.ts";
import { plainCoder, videoCoder } from "./picture-coders.ts";
import { openRenderedLoop } from "./rendered-loop.ts";
import { gopSizeOf } from "./video-options.ts";

const framerate = 30;
const exposureNs = 4_000_000n;
const gain = 1000;
const nsPerTick = 100n;

export async function openVlcSource({
  stream,
  configuration,
}: SourceSetup<"vlc">): Promise<Source> {
  const { divisor, profile, level, bitrate, options } = configuration;
  const isRaw = videoCodec(profile) === "raw";
  const rate = framerate / divisor;
  const gopSize = isRaw ? 1 : gopSizeOf(options, rate);
  const size = { width: vlcWidth, height: vlcHeight };
  const encoding = { ...size, rate, profile, level, bitrate, plainData: true };
  const what = { of: "grey", stream: stream as GreyStream } as const;
  const only = ([image]: Uint8Array[]) => image as Uint8Array;
  const loop = openRenderedLoop({
    framerate,
    divisor,
    key: JSON.stringify([stream, isRaw ? "raw" : encoding]),
    groupSize: gopSize,
    openCoder: () =>
      isRaw
        ? plainCoder({ ...what, as: "pixels" }, only)
        : videoCoder({ ...what, as: "picture" }, encoding, only),
  });
  return {
    periodSeconds: loop.periodSeconds,
    async payload({ seconds, ticks }) {
      const footer = { sensorTicks: ticks * nsPerTick, exposure: exposureNs, gain };
      const image = await loop.unit(seconds);
      return image && encodeVlcPayload(image, footer);
    },
    close: loop.close,
  };
}
