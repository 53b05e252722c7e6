/**
 * Microphone and extended audio. The HE levels are served as plain AAC: no encoder in node-av has them, and
 * whether the device's has is unknown.
 */
import { loadFfmpeg } from "../../../video/ffmpeg.ts";
import { samplesPerFrame } from "../../wire/adts.ts";
import { extendedAudioFormat, interleave, microphoneFormat } from "../../wire/audio-payload.ts";
import type { Configurations } from "../../wire/configuration.ts";
import { mixerModes, unpackMixer } from "../../wire/extended-audio-codes.ts";
import type { Source, SourceSetup } from "../source.ts";
import { aacLoop, aacPackets } from "./aac-loop.ts";
import { application, mixed, soundOf, soundRateHz, speech, type Voice } from "./sound.ts";

type AudioSetup = SourceSetup<"microphone" | "extended-audio">;

/** As the audio engine delivers them. */
const rawFrames = 768;
const bytesPerSecond = [12_000, 16_000, 20_000, 24_000];

export async function openAudioSource({ configuration }: AudioSetup): Promise<Source> {
  const { voice, name } = voiceOf(configuration);
  const format = formatOf(configuration);
  if (format.encoding === "aac") {
    const bitrate = 8 * (bytesPerSecond[configuration.profile] ?? 24_000);
    const packets = await aacLoop(await loadFfmpeg(), { voice, name, bitrate });
    return {
      periodSeconds: samplesPerFrame / soundRateHz,
      payload: ({ index }) => packets[index % aacPackets] ?? null,
      close() {},
    };
  }
  return {
    periodSeconds: rawFrames / soundRateHz,
    payload({ index }) {
      const { channels } = format;
      const stretch = { firstFrame: index * rawFrames, frames: rawFrames, channels };
      const planar = soundOf(voice, stretch);
      const samples = new Float32Array(planar.length);
      interleave(planar, channels, samples);
      return bytesOf(format.encoding === "s16" ? wholeNumbers(samples) : samples);
    },
    close() {},
  };
}

type AudioConfiguration = Configurations["microphone"] | Configurations["extended-audio"];

type SentFormat = { encoding: "aac" } | { encoding: "s16" | "f32"; channels: number };

/** Of the simulated USB microphone's two formats, the second is floating point. */
function formatOf(configuration: AudioConfiguration): SentFormat {
  const isExtended = "mixerMode" in configuration;
  const format = isExtended ? extendedAudioFormat(configuration) : microphoneFormat(configuration);
  if (format.encoding !== "device") return format;
  const isFloat = isExtended && unpackMixer(configuration.mixerMode).format === 1;
  return { encoding: isFloat ? "f32" : "s16", channels: 2 };
}

function voiceOf(configuration: AudioConfiguration): { voice: Voice; name: string } {
  if (!("mixerMode" in configuration)) return { voice: speech, name: "speech" };
  const { mixerMode, loopbackGain, microphoneGain } = configuration;
  const { mode } = unpackMixer(mixerMode);
  const heard = mode === mixerModes.application ? 0 : loudness(microphoneGain);
  const played = mode === mixerModes.microphone ? 0 : loudness(loopbackGain);
  const parts = [
    { voice: speech, gain: heard },
    { voice: application, gain: played },
  ];
  return { voice: mixed(parts), name: `speech ${heard}, application ${played}` };
}

/** 0 to 5, as documented; a client may send any float. */
function loudness(gain: number): number {
  return Number.isNaN(gain) ? 0 : Math.min(5, Math.max(0, gain));
}

function wholeNumbers(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (value) => Math.round(32767 * value));
}

function bytesOf({ buffer }: Int16Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer);
}
