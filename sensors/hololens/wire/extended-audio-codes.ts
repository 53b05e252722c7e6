/** The two packed numbers of extended audio's configuration. */

export const mixerModes = { microphone: 0, application: 1, both: 2, query: 3 } as const;

export interface Mixer {
  /** A code of {@link mixerModes}. */
  mode: number;
  /** Of the device list; null: the system's default device. */
  device: number | null;
  source: number;
  format: number;
}

export function packMixer({ mode, device, source, format }: Mixer): number {
  const deviceCode = device === null ? 0 : device + 1;
  checkRange("mixer mode", mode, { from: 0, to: 3 });
  checkRange("device", deviceCode - 1, { from: -1, to: 1022 });
  checkRange("source", source, { from: 0, to: 1023 });
  checkRange("format", format, { from: 0, to: 1023 });
  // Shifts would give a negative number from 2^31 on.
  return mode + deviceCode * 2 ** 2 + source * 2 ** 12 + format * 2 ** 22;
}

function checkRange(name: string, value: number, { from, to }: { from: number; to: number }): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name} ${value}; allowed: ${from} to ${to}`);
}

export function unpackMixer(packed: number): Mixer {
  const device = (packed >>> 2) & 0x3ff;
  return {
    mode: packed & 3,
    device: device === 0 ? null : device - 1,
    source: (packed >>> 12) & 0x3ff,
    format: packed >>> 22,
  };
}

export const mediaCategories = {
  other: 0,
  communications: 1,
  media: 2,
  "game-chat": 3,
  speech: 4,
} as const;

/** With audio profile raw the level is this. All but `passthrough` count only where that is set. */
export interface RawAudio {
  category: number;
  shared: boolean;
  rawCapture: boolean;
  disableEffect: boolean;
  /** The device's bytes as they are; their format stands in the device list alone. */
  passthrough: boolean;
}

export function packRawAudio(raw: RawAudio): number {
  checkRange("media category", raw.category, { from: 0, to: 7 });
  const bits = [raw.shared, false, raw.rawCapture, raw.disableEffect, raw.passthrough];
  return bits.reduce((level, set, i) => level | (set ? 1 << (3 + i) : 0), raw.category);
}

export function unpackRawAudio(level: number): RawAudio {
  const bit = (n: number) => ((level >> n) & 1) === 1;
  return {
    category: level & 7,
    shared: bit(3),
    rawCapture: bit(5),
    disableEffect: bit(6),
    passthrough: bit(7),
  };
}
