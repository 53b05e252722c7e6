/**
 * Extended depth: any depth camera that is connected to the headset. Copies of a frame: of Zdepth its
 * unpacked lists; then the slot is written once, from these, or from where raw pixels were received. The
 * unit is the camera's, mostly millimetres; the device does not say it.
 */
import { frameBytes, type StreamSpec } from "../../../src/ring/descriptor.ts";
import type { RingWriter } from "../../../src/ring.ts";
import { layoutOf } from "../../video/pixel-formats.ts";
import type { HololensConfig } from "../config.ts";
import { type Size, unpackZdepth } from "../decoding/pixels.ts";
import { depthProfiles, optionKeys } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { splitExtendedDepth } from "../wire/extended-depth-payload.ts";
import { usualStrideMask } from "../wire/raw-image.ts";
import { inflateZdepth } from "../wire/zdepth.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

function specOf({ extendedDepth, pose }: HololensConfig, size: Size): StreamSpec {
  return {
    kind: "depth",
    ...layoutOf("gray16le", size),
    pixelFormat: "gray16le",
    rate: extendedDepth.framerate / extendedDepth.divisor,
    units: "the camera's own, mostly mm",
    fields: fieldsOf({ pose }),
  };
}

export const extendedDepthReceiving: StreamReceiving<"extended-depth"> = {
  configuration: ({ extendedDepth, pose }) =>
    configurationOf("extended-depth", {
      mode: pose ? 1 : 0,
      divisor: extendedDepth.divisor,
      depthProfile: depthProfiles[extendedDepth.depthProfile],
      options: [
        { key: optionKeys.mediaIndex, value: BigInt(extendedDepth.media) },
        { key: optionKeys.strideMask, value: BigInt(usualStrideMask) },
      ],
    }),
  // What comes decides about the size.
  rings: (config, ring) => [{ name: ring, spec: specOf(config, config.extendedDepth) }],
  open: async (setup) => openExtendedDepth(setup),
};

function openExtendedDepth(setup: ReceiverSetup): Receiver {
  const { config, context, ring, stream: where, described } = setup;
  const depthProfile = depthProfiles[config.extendedDepth.depthProfile];
  const metas = createFrameMetas(setup, fieldsOf(config));
  let writer: RingWriter | null = null;
  let made = { width: 0, height: 0, bytes: 0 };

  const renew = ({ width, height }: Size): RingWriter => {
    if (writer && width === made.width && height === made.height) return writer;
    const spec = { ...specOf(config, { width, height }), ...described };
    writer = context.stream(ring, spec);
    made = { width, height, bytes: frameBytes(spec) };
    return writer;
  };

  return {
    leaveOut: "any",
    begin: metas.begin,
    take({ payload, ...packet }) {
      const { depth, ...size } = splitExtendedDepth(payload, { depthProfile, where });
      if (!metas.inOrder(packet)) return;
      const zdepth = depthProfile === depthProfiles.zdepth;
      // Before a slot is taken: what cannot be unpacked changes nothing.
      const lists = zdepth ? inflateZdepth(depth, { expected: size, where }) : null;
      const target = renew(size);
      const slot = target.acquire();
      try {
        if (lists) unpackZdepth(lists, slot, where);
        else slot.set(depth);
      } catch (error) {
        target.abort();
        throw error;
      }
      target.commit(made.bytes, metas.of(packet));
    },
    close() {},
  };
}
