/**
 * Near depth (AHAT): depth and active brightness, in one coded picture, in Zdepth and a coded picture, or
 * raw. Copies of a frame: the coded bytes once, into the decoder's memory; of Zdepth its unpacked lists;
 * then each slot is written once, from the decoder's planes, the lists, or where raw pixels were received.
 */
import type { HololensConfig } from "../config.ts";
import { openLibrary } from "../decoding/library.ts";
import { unpackAb, unpackAbLuma, unpackDepth, unpackZdepth } from "../decoding/pixels.ts";
import { type Planes, planesOf } from "../decoding/planes.ts";
import { type AhatParts, ahatSide, splitAhat } from "../wire/ahat-payload.ts";
import { depthProfiles, videoCodec, videoProfiles } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { inflateZdepth } from "../wire/zdepth.ts";
import { createCodedReceiver, type Taken } from "./coded-receiver.ts";
import { createDepthPair, type PairSlots, type PairStream, planPair } from "./depth-pair.ts";
import { fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

const size = { width: ahatSide, height: ahatSide };
const framerate = 45;

function streamOf({ ahat, pose }: HololensConfig): PairStream {
  return {
    size,
    rate: framerate / ahat.divisor,
    fields: fieldsOf({ pose }, [{ name: "sensor_ticks", dtype: "<u8", unit: "1/62976000 s" }]),
    // The camera measures phases: what is further away by so much looks the same.
    depth: { alias: 1055 },
  };
}

export const ahatReceiving: StreamReceiving<"ahat"> = {
  configuration: ({ ahat, pose }) => {
    const { divisor, bitrate } = ahat;
    const profile = videoProfiles[ahat.profile];
    const depthProfile = depthProfiles[ahat.depthProfile];
    const mode = pose ? 1 : 0;
    return configurationOf("ahat", { mode, divisor, bitrate, profile, depthProfile });
  },
  rings: (config, ring) => planPair(ring, streamOf(config)),
  open,
};

async function open(setup: ReceiverSetup): Promise<Receiver> {
  const { config, context, stream: where } = setup;
  const profile = videoProfiles[config.ahat.profile];
  const depthProfile = depthProfiles[config.ahat.depthProfile];
  const library = videoCodec(profile) === "raw" ? null : await openLibrary(context);
  const pair = createDepthPair(setup, streamOf(config));

  const fillDepth = ({ depth }: AhatParts, slots: PairSlots, planes: Planes | null) => {
    if (depthProfile === depthProfiles.zdepth) {
      unpackZdepth(inflateZdepth(depth, { expected: size, where }), slots.depth, where);
    } else if (planes) unpackDepth(planes.y, size, slots.depth);
    else slots.depth.set(depth);
  };

  const fillAb = ({ ab }: AhatParts, slots: PairSlots, planes: Planes | null) => {
    if (!planes) slots.ab.set(ab);
    else if (depthProfile === depthProfiles.zdepth) unpackAbLuma(planes.y, size, slots.ab);
    else unpackAb(planes, size, slots.ab);
  };

  const publish = (taken: Taken<AhatParts>, planes: Planes | null) => {
    if (!taken.publish || !pair.inOrder(taken)) return;
    const { parts } = taken;
    pair.publish(taken, { sensor_ticks: parts.sensorTicks }, (slots) => {
      fillDepth(parts, slots, planes);
      fillAb(parts, slots, planes);
    });
  };

  return createCodedReceiver<AhatParts>(library?.ffmpeg ?? null, setup, {
    profile,
    largest: size,
    split: (payload) => splitAhat(payload, { profile, depthProfile, where }),
    codedOf: ({ ab }) => ab,
    decoded: (frame, taken, ffmpeg) => publish(taken, planesOf(ffmpeg, frame, { ...size, where })),
    raw: (taken) => publish(taken, null),
    begin: pair.begin,
    close: () => library?.close(),
  });
}
