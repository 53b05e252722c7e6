/** Depth of the simulated USB camera, in millimetres. */
import { optionKeys } from "../../wire/codes.ts";
import { encodeExtendedDepthPayload } from "../../wire/extended-depth-payload.ts";
import { strideOf } from "../../wire/raw-image.ts";
import { depthFormats } from "../camera-formats.ts";
import type { Source, SourceSetup } from "../source.ts";
import { plainCoder } from "./picture-coders.ts";
import { openRenderedLoop } from "./rendered-loop.ts";
import { strideMaskOf } from "./video-options.ts";

/** @throws RangeError for a format that the camera does not have */
export async function openExtendedDepthSource({
  configuration,
}: SourceSetup<"extended-depth">): Promise<Source> {
  const { divisor, depthProfile, options } = configuration;
  const mediaIndex = Number(
    options.findLast(({ key }) => key === optionKeys.mediaIndex)?.value ?? 0xffff_ffffn,
  );
  const format = depthFormats[mediaIndex];
  if (!format)
    throw new RangeError(`media index ${mediaIndex}; allowed: 0 to ${depthFormats.length - 1}`);
  const { height, framerate } = format;
  const width = strideOf(format.width, strideMaskOf(options));
  const what = { of: "usb-depth", width, height, depthProfile } as const;
  const loop = openRenderedLoop({
    framerate,
    divisor,
    key: JSON.stringify(what),
    groupSize: 1,
    openCoder: () => plainCoder(what, ([depth]) => depth as Uint8Array),
  });
  return {
    periodSeconds: loop.periodSeconds,
    async payload({ seconds }) {
      const depth = await loop.unit(seconds);
      return depth && encodeExtendedDepthPayload(depth, { width, height });
    },
    close: loop.close,
  };
}
