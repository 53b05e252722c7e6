/** What is heard: the headset's microphones, and extended audio with the applications' sound. */
import type { HololensConfig } from "../config.ts";
import { extendedAudioFormat, microphoneFormat } from "../wire/audio-payload.ts";
import { aacLevels, audioProfiles, microphoneArrayLevel } from "../wire/codes.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import {
  mediaCategories,
  mixerModes,
  packMixer,
  packRawAudio,
} from "../wire/extended-audio-codes.ts";
import type { StreamReceiving } from "./receiver.ts";
import { openSound, soundSpec } from "./sound-receiver.ts";

function microphoneEncoding({ microphone }: HololensConfig) {
  const profile = audioProfiles[microphone.profile];
  const array = microphone.array && profile === audioProfiles.raw;
  return { profile, level: array ? microphoneArrayLevel : aacLevels.L2 };
}

export const microphoneReceiving: StreamReceiving<"microphone"> = {
  configuration: (config) => configurationOf("microphone", microphoneEncoding(config)),
  rings: (config, ring) => [
    { name: ring, spec: soundSpec(microphoneFormat(microphoneEncoding(config))) },
  ],
  open: (setup) => openSound(setup, microphoneFormat(microphoneEncoding(setup.config))),
};

/** With profile raw the level is a set of flags. */
function extendedEncoding({ extendedAudio }: HololensConfig) {
  const profile = audioProfiles[extendedAudio.profile];
  if (profile !== audioProfiles.raw) return { profile, level: aacLevels.L2 };
  const flags = { shared: false, rawCapture: false, disableEffect: false };
  const { passthrough } = extendedAudio;
  const level = packRawAudio({ ...flags, category: mediaCategories.other, passthrough });
  return { profile, level };
}

export const extendedAudioReceiving: StreamReceiving<"extended-audio"> = {
  configuration: (config) => {
    const { mixer, device = null, source, format, ...given } = config.extendedAudio;
    const { loopbackGain, microphoneGain } = given;
    return configurationOf("extended-audio", {
      mixerMode: packMixer({ mode: mixerModes[mixer], device, source, format }),
      loopbackGain,
      microphoneGain,
      ...extendedEncoding(config),
    });
  },
  rings: (config, ring) => [
    { name: ring, spec: soundSpec(extendedAudioFormat(extendedEncoding(config))) },
  ],
  open: (setup) => openSound(setup, extendedAudioFormat(extendedEncoding(setup.config))),
};
