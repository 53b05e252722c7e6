/** Sizes, rates and sound as they are written on the command line and in faults. */

/** `WIDTHxHEIGHT`. @throws RangeError in words for the user */
export function parseSize(text: string): { width: number; height: number } {
  const [width, height] = pair(text);
  if (isWithin(width, 16, 8192) && isWithin(height, 16, 8192)) return { width, height };
  throw new RangeError(`"${text}" is no size; allowed: 16x16 to 8192x8192, such as 1920x1080.`);
}

/** `HERTZxCHANNELS`. @throws RangeError in words for the user */
export function parseSound(text: string): { sampleRateHz: number; channels: number } {
  const [sampleRateHz, channels] = pair(text);
  if (isWithin(sampleRateHz, 8000, 192_000) && isWithin(channels, 1, 16)) {
    return { sampleRateHz, channels };
  }
  throw new RangeError(`"${text}" is no sound; allowed: 8000x1 to 192000x16, such as 48000x2.`);
}

/** Pictures a second. @throws RangeError in words for the user */
export function parseRate(text: string): number {
  const rate = decimal(text);
  if (isWithin(rate, 1, 240)) return rate;
  throw new RangeError(`"${text}" is no rate; allowed: 1 to 240 pictures a second.`);
}

/** @throws RangeError in words for the user */
export function parsePadding(text: string): number {
  const bytes = decimal(text);
  if (Number.isInteger(bytes) && isWithin(bytes, 0, 4096)) return bytes;
  throw new RangeError(`"${text}" is no padding; allowed: 0 to 4096 bytes.`);
}

/** @throws RangeError in words for the user */
export function parseSeconds(text: string): number {
  const seconds = decimal(text);
  if (isWithin(seconds, 0, 1_000_000)) return seconds; // no timer holds much more
  throw new RangeError(`"${text}" is no time; allowed: 0 to 1000000 seconds.`);
}

function pair(text: string): [number, number] {
  const [, first = "", second = ""] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  return [decimal(first), decimal(second)];
}

/** NaN for what is no number as people write it. */
function decimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
