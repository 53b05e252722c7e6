/** Extended video: any camera that is connected to the headset. Of its footer only the size means anything. */
import type { HololensConfig } from "../config.ts";
import { videoProfiles } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { fieldsOf } from "./frame-meta.ts";
import type { StreamReceiving } from "./receiver.ts";
import { openVideo, planVideo, type VideoStream } from "./video-receiver.ts";

function streamOf({ extendedVideo, pose }: HololensConfig): VideoStream {
  return {
    profile: videoProfiles[extendedVideo.profile],
    pixelFormat: extendedVideo.pixelFormat,
    rate: extendedVideo.framerate / extendedVideo.divisor,
    fields: fieldsOf({ pose }, [{ name: "key_frame", dtype: "|u1" }]),
    values: (_, keyFrame) => ({ key_frame: keyFrame ? 1 : 0 }),
  };
}

export const extendedVideoReceiving: StreamReceiving<"extended-video"> = {
  configuration: ({ extendedVideo, pose }) => {
    const { width, height, framerate, divisor, bitrate } = extendedVideo;
    const given = { width, height, framerate, divisor, bitrate };
    const profile = videoProfiles[extendedVideo.profile];
    return configurationOf("extended-video", { mode: pose ? 1 : 0, profile, ...given });
  },
  rings: (config, ring) => planVideo(ring, streamOf(config), config.extendedVideo),
  open: (setup) => openVideo(setup, streamOf(setup.config)),
};
