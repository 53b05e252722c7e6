/** What the test sources play: 440 Hz in the first channel, 880 Hz in the second, and again. */

export const tonesHz = [440, 880];
export const amplitude = 0.5;

/**
 * Planar samples, all of the first channel and then the next's: `strideSamples` from channel to channel.
 * @param firstSample counted from the start, so that one stretch goes on where the last one ended
 */
export function tones(
  firstSample: number,
  samples: number,
  { sampleRateHz, channels }: { sampleRateHz: number; channels: number },
  strideSamples = samples,
): Float32Array<ArrayBuffer> {
  const planes = new Float32Array(strideSamples * channels);
  for (let channel = 0; channel < channels; channel++) {
    const hz = tonesHz[channel % tonesHz.length] as number;
    for (let i = 0; i < samples; i++) {
      const turns = ((firstSample + i) * hz) / sampleRateHz;
      planes[channel * strideSamples + i] = amplitude * Math.sin(2 * Math.PI * (turns % 1));
    }
  }
  return planes;
}
