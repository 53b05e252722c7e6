/** Far depth as PNG. */
import { pngFilters } from "../../wire/codes.ts";
import { depthSensorTicks } from "../../wire/device-time.ts";
import { encodeLongthrowPayload } from "../../wire/longthrow-payload.ts";
import type { Source, SourceSetup } from "../source.ts";
import { plainCoder } from "./picture-coders.ts";
import { openRenderedLoop } from "./rendered-loop.ts";

const framerate = 5;

export async function openLongthrowSource({
  configuration,
}: SourceSetup<"longthrow">): Promise<Source> {
  const { divisor } = configuration;
  const pngFilter = quickFilter(configuration.pngFilter);
  const loop = openRenderedLoop({
    framerate,
    divisor,
    key: JSON.stringify(["longthrow", pngFilter]),
    groupSize: 1,
    openCoder: () => plainCoder({ of: "longthrow", pngFilter }, ([png]) => png as Uint8Array),
  });
  return {
    periodSeconds: loop.periodSeconds,
    async payload({ seconds, ticks }) {
      const png = await loop.unit(seconds);
      return png && encodeLongthrowPayload({ png, sensorTicks: depthSensorTicks(ticks) });
    },
    close: loop.close,
  };
}

/** Trying all filters on each row takes ten times as long, for a file of the same pixels and hardly smaller. */
function quickFilter(asked: number): number {
  return asked === pngFilters.adaptive ? pngFilters.automatic : asked;
}
