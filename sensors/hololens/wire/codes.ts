/** The numbers of the protocol that have names: profiles, levels, filters, option keys. */

export const videoProfiles = {
  "h264-baseline": 0,
  "h264-main": 1,
  "h264-high": 2,
  "h265-main": 3,
  raw: 255,
} as const;

/** What the coded bytes of a video profile are. */
export function videoCodec(profile: number): "h264" | "h265" | "raw" {
  if (profile === videoProfiles.raw) return "raw";
  return profile === videoProfiles["h265-main"] ? "h265" : "h264";
}

/** The encoder chooses. Others are ten (H.264) or thirty (H.265) times the level's number. */
export const automaticLevel = 255;
export const h264Levels = [10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52];
/** From 128 on the server takes the byte as a negative number: those probably do not work. */
export const h265Levels = [30, 60, 63, 90, 93, 120, 123, 150, 153, 156, 180, 183, 186];

/** `same`: depth travels inside the picture of the active brightness. */
export const depthProfiles = { same: 0, zdepth: 1 } as const;

export const audioProfiles = {
  "aac-96k": 0,
  "aac-128k": 1,
  "aac-160k": 2,
  "aac-192k": 3,
  raw: 255,
} as const;

export const aacLevels = {
  L2: 0x29,
  L4: 0x2a,
  L5: 0x2b,
  "HE-v1-L2": 0x2c,
  "HE-v1-L4": 0x2e,
  "HE-v1-L5": 0x2f,
  "HE-v2-L2": 0x30,
  "HE-v2-L3": 0x31,
  "HE-v2-L4": 0x32,
  "HE-v2-L5": 0x33,
} as const;

/** With audio profile `raw`: this level asks for the five microphones, any other for stereo. */
export const microphoneArrayLevel = aacLevels.L5;

export const pngFilters = {
  automatic: 0,
  none: 1,
  sub: 2,
  up: 3,
  average: 4,
  paeth: 5,
  adaptive: 6,
} as const;

export const eyeTrackerRates = [30, 60, 90] as const;

/** Keys of options. The server ignores those it does not know. */
export const optionKeys = {
  rateControlMode: 0n,
  quality: 1n,
  adaptiveMode: 2n,
  bufferSize: 3n,
  maxBitrate: 4n,
  meanBitrate: 5n,
  qualityVsSpeed: 6n,
  h264Cabac: 7n,
  h264SpsId: 8n,
  bPictures: 9n,
  gopSize: 10n,
  workerThreads: 11n,
  contentType: 12n,
  encodeQp: 13n,
  forceKeyFrame: 14n,
  minQp: 15n,
  lowLatency: 16n,
  maxQp: 17n,
  displayContentType: 18n,
  /** Extended depth: which of the camera's formats. Without it the server refuses. */
  mediaIndex: 0xffff_ffff_ffff_fffbn,
  /** Extended video and depth: rows are (width + mask) & ~mask long. */
  strideMask: 0xffff_ffff_ffff_fffcn,
  /** Personal and extended video: bit 0 set is buffered, clear is realtime. */
  acquisitionMode: 0xffff_ffff_ffff_fffdn,
  /** Grey cameras: added to each timestamp, 100 ns, two's complement. */
  clockOffset: 0xffff_ffff_ffff_fffen,
  /** Grey cameras: the bits of a double; times the exposure, added to each timestamp. */
  clockExposureFactor: 0xffff_ffff_ffff_ffffn,
} as const;

export interface Option {
  key: bigint;
  value: bigint;
}

/** A negative option value, as it stands in 64 bits. */
export function signedOptionValue(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** A double as an option value. */
export function doubleOptionValue(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
}

/** The double that an option value stands for. */
export function doubleOfOption(value: bigint): number {
  return new Float64Array(BigUint64Array.of(value).buffer)[0] as number;
}
