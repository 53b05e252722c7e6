/** What the device's own software asks for where its caller says nothing. */
import {
  aacLevels,
  audioProfiles,
  automaticLevel,
  depthProfiles,
  doubleOptionValue,
  type Option,
  optionKeys,
  pngFilters,
  signedOptionValue,
  videoCodec,
  videoProfiles,
} from "./codes.ts";
import type { Configurations, VideoFormat } from "./configuration.ts";
import type { StreamFamily } from "./ports.ts";

const grey: VideoFormat = { width: 640, height: 480, framerate: 30 };
const ahat: VideoFormat = { width: 512, height: 512, framerate: 45 };

/** Bit/s. In double precision, the reciprocal last: other orders give other integers. */
export function defaultBitrate({ width, height, framerate }: VideoFormat, profile: number): number {
  const share = { h264: 1 / 75, h265: 1 / 150, raw: 1 }[videoCodec(profile)];
  return Math.trunc(width * height * framerate * 12 * share);
}

/** Depth inside the picture must survive the encoder: far more bits. */
export function defaultAhatBitrate(profile: number, depthProfile: number): number {
  return defaultBitrate(ahat, profile) * (depthProfile === depthProfiles.same ? 16 : 1);
}

/** The options, and a key frame each second unless they say otherwise. */
export function withGopSize(
  options: Option[],
  { framerate, profile }: { framerate: number; profile: number },
): Option[] {
  if (options.some(({ key }) => key === optionKeys.gopSize)) return options;
  const size = videoCodec(profile) === "raw" ? 1n : BigInt(framerate);
  return [...options, { key: optionKeys.gopSize, value: size }];
}

/** What moves the grey cameras' timestamps: ticks + trunc(factor * exposure in ns / 100) + offset. */
export function clockOptions({ offset, factor }: { offset: bigint; factor: number }): Option[] {
  return [
    { key: optionKeys.clockExposureFactor, value: doubleOptionValue(factor) },
    { key: optionKeys.clockOffset, value: signedOptionValue(offset) },
  ];
}

/** They were seen 12.5 ms late. */
const usualClock = clockOptions({ offset: -125_000n, factor: 0 });

type Given<F extends StreamFamily> = Partial<Configurations[F]>;

const framed = { mode: 1, divisor: 1 } as const;
const encoded = { profile: videoProfiles["h265-main"], level: automaticLevel };

function video(given: Given<"pv">): Configurations["pv"] {
  const base = { ...framed, width: 1920, height: 1080, framerate: 30, ...encoded, ...given };
  const bitrate = given.bitrate ?? defaultBitrate(base, base.profile);
  return { ...base, bitrate, options: withGopSize(given.options ?? [], base) };
}

const defaults: { [F in StreamFamily]: (given: Given<F>) => Configurations[F] } = {
  vlc(given) {
    const base = { ...framed, ...encoded, ...given };
    const bitrate = given.bitrate ?? defaultBitrate(grey, base.profile);
    const gop = { framerate: grey.framerate, profile: base.profile };
    const options = given.options
      ? withGopSize(given.options, gop)
      : [...withGopSize([], gop), ...usualClock];
    return { ...base, bitrate, options };
  },
  ahat(given) {
    const base = { ...framed, depthProfile: depthProfiles.same, ...encoded, ...given };
    const bitrate = given.bitrate ?? defaultAhatBitrate(base.profile, base.depthProfile);
    const gop = { framerate: ahat.framerate, profile: base.profile };
    return { ...base, bitrate, options: withGopSize(given.options ?? [], gop) };
  },
  longthrow: (given) => ({ ...framed, pngFilter: pngFilters.paeth, ...given }),
  imu: (given) => ({ mode: 1, ...given }),
  pv: video,
  "extended-video": video,
  microphone: (given) => ({ profile: audioProfiles["aac-192k"], level: aacLevels.L2, ...given }),
  "spatial-input": () => ({}),
  "eye-tracker": (given) => ({ fps: 30, ...given }),
  "extended-audio": (given) => ({
    mixerMode: 2,
    loopbackGain: 1,
    microphoneGain: 1,
    profile: audioProfiles["aac-192k"],
    level: aacLevels.L2,
    ...given,
  }),
  "extended-depth": (given) => ({
    ...framed,
    depthProfile: depthProfiles.zdepth,
    options: [
      { key: optionKeys.mediaIndex, value: 0xffff_ffffn }, // refused: the caller must choose one
      { key: optionKeys.strideMask, value: 0x3fn },
    ],
    ...given,
  }),
};

/**
 * A whole configuration from the members that matter to the caller. Bitrate follows format and profile;
 * own options replace the usual ones, only the key frame's distance is added where they lack it.
 */
export function configurationOf<F extends StreamFamily>(
  family: F,
  given: Given<F> = {},
): Configurations[F] {
  return defaults[family](given);
}
