/**
 * Far depth (long throw): depth and active brightness in the pixels of one PNG. Copies of a frame: the
 * rows of the PNG, unpacked; then each slot is written once, from these.
 */
import type { HololensConfig } from "../config.ts";
import { unpackPngPlanes } from "../decoding/pixels.ts";
import { pngFilters } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { longthrowHeight, longthrowWidth, splitLongthrow } from "../wire/longthrow-payload.ts";
import { inflateRgbaPng } from "../wire/rgba-png.ts";
import { createDepthPair, type PairStream, planPair } from "./depth-pair.ts";
import { fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

const largest = { width: longthrowWidth, height: longthrowHeight };
const framerate = 5;

function streamOf({ longthrow, pose }: HololensConfig): PairStream {
  return {
    size: largest,
    rate: framerate / longthrow.divisor,
    fields: fieldsOf({ pose }, [{ name: "sensor_ticks", dtype: "<u8", unit: "1/62976000 s" }]),
  };
}

export const longthrowReceiving: StreamReceiving<"longthrow"> = {
  configuration: ({ longthrow: { divisor, pngFilter }, pose }) =>
    configurationOf("longthrow", {
      mode: pose ? 1 : 0,
      divisor,
      pngFilter: pngFilters[pngFilter],
    }),
  rings: (config, ring) => planPair(ring, streamOf(config)),
  open: async (setup) => openLongthrow(setup),
};

function openLongthrow(setup: ReceiverSetup): Receiver {
  const where = setup.stream;
  const pair = createDepthPair(setup, streamOf(setup.config));
  return {
    leaveOut: "any",
    begin: pair.begin,
    take({ payload, ...packet }) {
      const { png, sensorTicks } = splitLongthrow(payload, where);
      if (!pair.inOrder(packet)) return;
      const image = inflateRgbaPng(png, { largest, where });
      const fill = (slots: { depth: Uint8Array; ab: Uint8Array }) =>
        unpackPngPlanes(image, slots, where);
      pair.publish(packet, { sensor_ticks: sensorTicks }, fill, image);
    },
    close() {},
  };
}
