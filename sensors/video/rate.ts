/** Frames per second as a source announces it, or null where it does not, or announces nonsense. */
import type { Stream } from "./ffmpeg.ts";

const rateMax = 1000;

export function rateOf(stream: Stream): number | null {
  for (const { num, den } of [stream.avgFrameRate, stream.rFrameRate]) {
    // RTSP tracks of unknown rate say 90000, the ticks of their clock.
    if (num > 0 && den > 0 && num / den <= rateMax) return num / den;
  }
  return null;
}
