/**
 * What the simulated microphones hear: a chord that swells as speech does, and what the applications play:
 * a plucked tone. After `loopFrames` everything is where it began, so that what was coded fits every round.
 */

export const soundRateHz = 48000;
/** 8 seconds: whole packets of 1024 and of 768. Every frequency below is a multiple of 1/8 Hz. */
export const loopFrames = 8 * soundRateHz;

/** -1 to 1 at a moment, seconds. */
export type Voice = (seconds: number) => number;

const turn = 2 * Math.PI;
const chord = [
  { hz: 220, size: 0.5 },
  { hz: 277.125, size: 0.3 },
  { hz: 329.625, size: 0.2 },
];

/** Syllables, in sentences of four seconds with a pause. */
export const speech: Voice = (seconds) => {
  let value = 0;
  for (const { hz, size } of chord) value += size * Math.sin(turn * hz * seconds);
  const syllable = Math.sin(turn * 1.625 * seconds) ** 2;
  const sentence = Math.max(0, Math.sin(turn * 0.25 * seconds) + 0.8) / 1.8;
  return 0.5 * (0.05 + 0.95 * syllable * sentence) * value;
};

export const application: Voice = (seconds) => {
  const since = seconds % 1;
  const pluck = Math.min(1, 200 * since) * Math.min(1, 200 * (1 - since)) * Math.exp(-5 * since);
  return 0.3 * pluck * Math.sin(turn * 523.25 * seconds);
};

/** @returns the sum, as loud as asked and cut off at full scale */
export function mixed(parts: readonly { voice: Voice; gain: number }[]): Voice {
  return (seconds) => {
    let value = 0;
    for (const { voice, gain } of parts) value += gain * voice(seconds);
    return Math.min(1, Math.max(-1, value));
  };
}

/** How much later each further microphone hears: about 9 cm of air. */
const delaySeconds = 12 / soundRateHz;

export interface Stretch {
  /** Counted over all rounds. */
  firstFrame: number;
  frames: number;
  channels: number;
}

/** @returns planar samples: all of the first channel, then the second's */
export function soundOf(
  voice: Voice,
  { firstFrame, frames, channels }: Stretch,
): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(frames * channels);
  const first = firstFrame % loopFrames;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (let i = 0; i < frames; i++, at++) {
      // A round later, or the first moments of the later channels would lie before the beginning.
      const frame = first + i + loopFrames;
      samples[at] = voice(frame / soundRateHz - channel * delaySeconds);
    }
  }
  return samples;
}
