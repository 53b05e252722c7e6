/**
 * A HoloLens 2 that runs hl2ss: each of its sensor streams is a ring, received by a process of its own;
 * one more process, `device`, compares clocks and changes settings.
 *
 * - `deviceTime` counts 100 ns since the headset was started, `captureTimeNs` is by probes of that clock;
 * - a lost connection is made again without an end, with the rings that are there: the words of the
 *   process's state say what is wrong and what to do about it;
 * - the headset started anew is a new `clockEpoch`.
 */

import { devicePart } from "./hololens/client/parts.ts";
import { type HololensConfig, hololensConfig } from "./hololens/config.ts";
import { receivingOf } from "./hololens/streams/families.ts";
import { type StreamName, streamPorts } from "./hololens/wire/ports.ts";
import type { SensorKind } from "./sensor.ts";

export const hololens: SensorKind<HololensConfig> = {
  kind: "hololens",
  summary: "HoloLens 2 with hl2ss: cameras, depth, IMU, sound, head, hands, gaze (needs node-av)",
  config: hololensConfig,
  parts: ({ streams }) => [devicePart, ...streams],

  streams: (config) =>
    config.streams.flatMap((stream) => {
      const receiving = receivingOf(streamPorts[stream].family);
      return receiving.rings(config, `${config.name}.${stream}`, stream);
    }),

  async run(config, context) {
    if (context.part === devicePart) {
      warnOfDepths(config, context.log.warn);
      const { runDevice } = await import("./hololens/client/device-part.ts");
      return runDevice(config, context);
    }
    const { runStream } = await import("./hololens/client/stream-part.ts");
    return runStream(config, context, context.part as StreamName);
  },
};

function warnOfDepths({ streams }: HololensConfig, warn: (words: string) => void): void {
  if (!streams.includes("depth-ahat") || !streams.includes("depth-longthrow")) return;
  warn(
    "AHAT and long throw are both configured: most headsets run one of them only, and the other one's words will say so",
  );
}
