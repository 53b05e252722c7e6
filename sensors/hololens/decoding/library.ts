/** FFmpeg in a stream's process, its log among the sensor's own lines. */
import type { SensorContext } from "../../sensor.ts";
import { type Ffmpeg, loadFfmpeg } from "../../video/ffmpeg.ts";
import { listenToFfmpeg } from "../../video/ffmpeg-log.ts";

export interface Library {
  ffmpeg: Ffmpeg;
  close(): void;
}

/** Throws a SensorError where the optional package is missing. */
export async function openLibrary({ log }: Pick<SensorContext, "log">): Promise<Library> {
  const ffmpeg = await loadFfmpeg();
  const listening = listenToFfmpeg(ffmpeg, (words) => log.debug(`FFmpeg: ${words}`));
  return { ffmpeg, close: listening.close };
}
