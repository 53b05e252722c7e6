/** How each family of streams is received. */
import type { StreamFamily } from "../wire/ports.ts";
import { ahatReceiving } from "./ahat.ts";
import { extendedAudioReceiving, microphoneReceiving } from "./audio.ts";
import { extendedDepthReceiving } from "./extended-depth.ts";
import { extendedVideoReceiving } from "./extended-video.ts";
import { eyeTrackerReceiving } from "./eye-tracker.ts";
import { imuReceiving } from "./imu.ts";
import { longthrowReceiving } from "./longthrow.ts";
import { pvReceiving } from "./pv.ts";
import type { StreamReceiving } from "./receiver.ts";
import { spatialInputReceiving } from "./spatial-input.ts";
import { vlcReceiving } from "./vlc.ts";

const families: { [F in StreamFamily]: StreamReceiving<F> } = {
  vlc: vlcReceiving,
  ahat: ahatReceiving,
  longthrow: longthrowReceiving,
  imu: imuReceiving,
  pv: pvReceiving,
  microphone: microphoneReceiving,
  "spatial-input": spatialInputReceiving,
  "eye-tracker": eyeTrackerReceiving,
  "extended-audio": extendedAudioReceiving,
  "extended-video": extendedVideoReceiving,
  "extended-depth": extendedDepthReceiving,
};

/** None of them loads a library before it is opened. A family's own types are lost: callers have any stream. */
export function receivingOf(family: StreamFamily): StreamReceiving<StreamFamily> {
  return families[family] as unknown as StreamReceiving<StreamFamily>;
}
