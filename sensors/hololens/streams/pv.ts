/** Personal video: the colour camera in the headset's front, with what it says about each picture. */
import type { FieldSpec } from "../../../src/ring/descriptor.ts";
import type { HololensConfig } from "../config.ts";
import { videoProfiles } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { fieldsOf } from "./frame-meta.ts";
import type { StreamReceiving } from "./receiver.ts";
import { openVideo, planVideo, type VideoStream } from "./video-receiver.ts";

const fields: Omit<FieldSpec, "offset">[] = [
  { name: "key_frame", dtype: "|u1" },
  { name: "focal_length", dtype: "<f4", shape: [2], unit: "px" },
  { name: "principal_point", dtype: "<f4", shape: [2], unit: "px" },
  { name: "exposure_time", dtype: "<u8", unit: "100 ns" },
  { name: "exposure_compensation", dtype: "<u8", shape: [2] },
  { name: "lens_position", dtype: "<u4" },
  { name: "focus_state", dtype: "<u4" },
  { name: "iso_speed", dtype: "<u4" },
  { name: "white_balance", dtype: "<u4", unit: "K" },
  { name: "iso_gains", dtype: "<f4", shape: [2] },
  { name: "white_balance_gains", dtype: "<f4", shape: [3] },
];

function streamOf({ pv, pose }: HololensConfig): VideoStream {
  return {
    profile: videoProfiles[pv.profile],
    pixelFormat: pv.pixelFormat,
    rate: pv.framerate / pv.divisor,
    fields: fieldsOf({ pose }, fields),
    values: (footer, keyFrame) => ({
      key_frame: keyFrame ? 1 : 0,
      focal_length: footer.focalLength,
      principal_point: footer.principalPoint,
      exposure_time: footer.exposureTime,
      exposure_compensation: footer.exposureCompensation,
      lens_position: footer.lensPosition,
      focus_state: footer.focusState,
      iso_speed: footer.isoSpeed,
      white_balance: footer.whiteBalance,
      iso_gains: footer.isoGains,
      white_balance_gains: footer.whiteBalanceGains,
    }),
  };
}

export const pvReceiving: StreamReceiving<"pv"> = {
  configuration: ({ pv, pose }) => {
    const { width, height, framerate, divisor, bitrate } = pv;
    const profile = videoProfiles[pv.profile];
    const mode = pose ? 1 : 0;
    return configurationOf("pv", { mode, width, height, framerate, divisor, profile, bitrate });
  },
  rings: (config, ring) => planVideo(ring, streamOf(config), config.pv),
  open: (setup) => openVideo(setup, streamOf(setup.config)),
};
