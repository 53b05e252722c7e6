/**
 * Colours for numbers. The map is a line through OKLCH: lightness rises evenly from dark to light, so that
 * equal steps of distance look equally large, also in print and to eyes that see few colours; the hue turns
 * from violet over teal to yellow beside it. Near is light, since near is what one looks for.
 */

/** 256 colours of 4 bytes (red, green, blue, alpha), the smallest value first. */
export type ColourMap = Uint8ClampedArray;

const steps = 256;

/** Violet (290°) at the dark end, over blue and teal, to yellow (100°). */
export const depthColours: ColourMap = mapOf((share) => {
  const lightness = 0.93 - 0.68 * share;
  const chroma = 0.04 + 0.13 * Math.sin(Math.PI * (0.12 + 0.76 * share));
  return oklch(lightness, chroma, 100 + 190 * share);
});

export const greyColours: ColourMap = mapOf((share) => [share, share, share]);

function mapOf(colourAt: (share: number) => [number, number, number]): ColourMap {
  const map = new Uint8ClampedArray(steps * 4);
  for (let step = 0; step < steps; step++) {
    const rgb = colourAt(step / (steps - 1));
    map.set([...rgb.map((part) => Math.round(255 * part)), 255], step * 4);
  }
  return map;
}

/** To sRGB, 0 to 1. The matrices are Björn Ottosson's (bottosson.github.io/posts/oklab, 2020). */
function oklch(lightness: number, chroma: number, hueDegrees: number): [number, number, number] {
  const hue = (hueDegrees * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(hue), chroma * Math.sin(hue)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    companded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    companded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    companded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function companded(linear: number): number {
  const held = Math.min(1, Math.max(0, linear));
  return held <= 0.0031308 ? 12.92 * held : 1.055 * held ** (1 / 2.4) - 0.055;
}

/** A few colours of the map as CSS, for a scale beside the picture. */
export function gradientOf(map: ColourMap): string {
  const stops = Array.from({ length: 9 }, (_, stop) => {
    const at = Math.round((stop * (steps - 1)) / 8) * 4;
    return `rgb(${map[at]} ${map[at + 1]} ${map[at + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

export interface Range {
  low: number;
  high: number;
}

/** Values are painted by where they lie in the range; 0, which is no measurement, stays transparent. */
export function paint(
  pixels: Uint16Array,
  into: Uint8ClampedArray,
  { low, high }: Range,
  map: ColourMap,
): void {
  const scale = (steps - 1) / Math.max(1, high - low);
  const colours = new Uint32Array(map.buffer, map.byteOffset, steps);
  const out = new Uint32Array(into.buffer, into.byteOffset, pixels.length);
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at] as number;
    const step = value <= low ? 0 : value >= high ? steps - 1 : ((value - low) * scale) | 0;
    out[at] = value === 0 ? 0 : (colours[step] as number);
  }
}

const sampled = 4096;

/** From the 2nd to the 98th percentile of what was measured, by some thousand of its pixels; null where there is none. */
export function rangeOf(pixels: Uint16Array): Range | null {
  const step = Math.max(1, Math.floor(pixels.length / sampled));
  const values: number[] = [];
  for (let at = 0; at < pixels.length; at += step)
    if (pixels[at]) values.push(pixels[at] as number);
  if (values.length === 0) return null;
  values.sort((one, other) => one - other);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] as number;
  return { low: at(0.02), high: at(0.98) };
}

/** Follows slowly: a range that jumps with each frame makes a still picture flicker. */
export function eased(before: Range | null, now: Range | null): Range | null {
  if (!before || !now) return now ?? before;
  const share = 0.15;
  return {
    low: before.low + share * (now.low - before.low),
    high: before.high + share * (now.high - before.high),
  };
}
