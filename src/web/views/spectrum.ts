/** How much of each frequency is in a piece of sound: a Fourier transform of 1024 samples under a Hann window. */

export const spectrumSamples = 1024;
const half = spectrumSamples / 2;

const hann = Float32Array.from(
  { length: spectrumSamples },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / spectrumSamples),
);
const cosines = Float32Array.from({ length: half }, (_, i) =>
  Math.cos((2 * Math.PI * i) / spectrumSamples),
);
const sines = Float32Array.from({ length: half }, (_, i) =>
  Math.sin((2 * Math.PI * i) / spectrumSamples),
);
const bits = Math.log2(spectrumSamples);
const reversed = Uint16Array.from({ length: spectrumSamples }, (_, i) => {
  let out = 0;
  for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) out |= 1 << (bits - 1 - bit);
  return out;
});

const real = new Float32Array(spectrumSamples);
const imaginary = new Float32Array(spectrumSamples);

/** @returns 512 levels in dB, a full-scale tone 0; index k stands for k * sample rate / 1024 Hz */
export function spectrumOf(samples: Float32Array): Float32Array {
  for (let i = 0; i < spectrumSamples; i++) {
    const from = reversed[i] as number;
    real[i] = (samples[from] ?? 0) * (hann[from] as number);
  }
  imaginary.fill(0);
  for (let size = 2; size <= spectrumSamples; size *= 2) combine(size);
  return Float32Array.from({ length: half }, (_, k) => {
    // A tone's energy is in two halves, and the window takes half of it.
    const size = (4 * Math.hypot(real[k] as number, imaginary[k] as number)) / spectrumSamples;
    return size > 1e-6 ? 20 * Math.log10(size) : -120;
  });
}

/** One stage of the transform: pairs of transforms of size / 2 become one of size. */
function combine(size: number): void {
  const [middle, stride] = [size / 2, spectrumSamples / size];
  for (let start = 0; start < spectrumSamples; start += size) {
    for (let i = 0; i < middle; i++) {
      const [a, b] = [start + i, start + i + middle];
      const [c, s] = [cosines[i * stride] as number, sines[i * stride] as number];
      const [re, im] = [real[b] as number, imaginary[b] as number];
      const [turnedRe, turnedIm] = [re * c + im * s, im * c - re * s];
      real[b] = (real[a] as number) - turnedRe;
      imaginary[b] = (imaginary[a] as number) - turnedIm;
      real[a] = (real[a] as number) + turnedRe;
      imaginary[a] = (imaginary[a] as number) + turnedIm;
    }
  }
}
