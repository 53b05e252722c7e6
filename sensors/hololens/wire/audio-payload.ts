/** Microphone and extended audio: an AAC frame, or samples as the audio engine delivered them. */
import { audioProfiles, microphoneArrayLevel } from "./codes.ts";
import { unpackRawAudio } from "./extended-audio-codes.ts";
import { ProtocolError } from "./protocol-error.ts";

export const audioRateHz = 48000;
/** Order of the five channels of the microphone array. */
export const arrayMicrophones = [
  "top left",
  "top center",
  "top right",
  "bottom left",
  "bottom right",
] as const;

export type AudioFormat =
  | { encoding: "aac" }
  | { encoding: "s16"; channels: 2 }
  | { encoding: "f32"; channels: 5 }
  /** The device's own format: its list alone says which. */
  | { encoding: "device" };

interface Encoding {
  profile: number;
  level: number;
}

export function microphoneFormat({ profile, level }: Encoding): AudioFormat {
  if (profile !== audioProfiles.raw) return { encoding: "aac" };
  if (level === microphoneArrayLevel) return { encoding: "f32", channels: 5 };
  return { encoding: "s16", channels: 2 };
}

export function extendedAudioFormat({ profile, level }: Encoding): AudioFormat {
  if (profile !== audioProfiles.raw) return { encoding: "aac" };
  if (unpackRawAudio(level).passthrough) return { encoding: "device" };
  return { encoding: "s16", channels: 2 };
}

/** Interleaved samples. Throws a ProtocolError `frame` where the payload does not hold whole ones. */
export function parseSamples(
  payload: Uint8Array,
  format: Extract<AudioFormat, { channels: number }>,
  where: string,
): Int16Array | Float32Array {
  const { encoding, channels } = format;
  const bytes = channels * (encoding === "s16" ? 2 : 4);
  if (payload.byteLength === 0 || payload.byteLength % bytes !== 0) {
    const what = `audio of ${payload.byteLength} bytes`;
    const allowed = `multiples of ${bytes} (${channels} channels)`;
    throw new ProtocolError({ where, what, allowed, kind: "frame" });
  }
  // Samples begin anywhere in what was received, typed arrays only at multiples of their own size.
  const aligned = payload.slice().buffer;
  return encoding === "s16" ? new Int16Array(aligned) : new Float32Array(aligned);
}

/** L R L R … to L L … R R …, as rings carry it. */
export function deinterleave<Samples extends Int16Array | Float32Array>(
  interleaved: Samples,
  channels: number,
  planar: Samples,
): void {
  const frames = Math.floor(interleaved.length / channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < frames; i++) {
      planar[channel * frames + i] = interleaved[i * channels + channel] as number;
    }
  }
}

export function interleave<Samples extends Int16Array | Float32Array>(
  planar: Samples,
  channels: number,
  interleaved: Samples,
): void {
  const frames = Math.floor(planar.length / channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < frames; i++) {
      interleaved[i * channels + channel] = planar[channel * frames + i] as number;
    }
  }
}
