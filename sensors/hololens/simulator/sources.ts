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

const sources: { [F in StreamFamily]?: () => Promise<OpenFromDevice<F>> } = {
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
  const load = sources[family];
  if (!load) throw new Error(`${setup.stream}: nothing is simulated here`);
  return (await load())(setup, device);
}
