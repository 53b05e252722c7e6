/** Where each stream's payloads come from; loaded when first asked for, for some need large libraries. */
import type { StreamFamily } from "../wire/ports.ts";
import type { Device } from "./device.ts";
import type { Source, SourceSetup } from "./source.ts";

type OpenFromDevice<F extends StreamFamily> = (
  setup: SourceSetup<F>,
  device: Device,
) => Source | Promise<Source>;

const video = async () => (await import("./media/video-source.ts")).openVideoSource;
const audio = async () => (await import("./media/audio-source.ts")).openAudioSource;

const sources: { [F in StreamFamily]: () => Promise<OpenFromDevice<F>> } = {
  vlc: async () => (await import("./media/vlc-source.ts")).openVlcSource,
  ahat: async () => (await import("./media/ahat-source.ts")).openAhatSource,
  longthrow: async () => (await import("./media/longthrow-source.ts")).openLongthrowSource,
  "extended-depth": async () =>
    (await import("./media/extended-depth-source.ts")).openExtendedDepthSource,
  microphone: audio,
  "extended-audio": audio,
  pv: video,
  "extended-video": video,
  imu: async () => (await import("./imu-source.ts")).openImuSource,
  "spatial-input": async () => (await import("./spatial-input-source.ts")).openSpatialInputSource,
  "eye-tracker": async () => (await import("./eye-tracker-source.ts")).openEyeTrackerSource,
};

export async function openSource<F extends StreamFamily>(
  family: F,
  setup: SourceSetup<F>,
  device: Device,
): Promise<Source> {
  const open = await sources[family]();
  return open(setup, device);
}
