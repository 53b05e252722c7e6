/** How each family of streams is received. */
import type { StreamFamily } from "../wire/ports.ts";
import { eyeTrackerReceiving } from "./eye-tracker.ts";
import { imuReceiving } from "./imu.ts";
import type { StreamReceiving } from "./receiver.ts";
import { spatialInputReceiving } from "./spatial-input.ts";

/** None of these loads a library before it is opened. */
export const families: { [F in StreamFamily]?: StreamReceiving<F> } = {
  imu: imuReceiving,
  "spatial-input": spatialInputReceiving,
  "eye-tracker": eyeTrackerReceiving,
};
