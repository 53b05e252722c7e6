/** What the cameras offer: personal video's formats, and the lists of the extended ports. */
import type { VideoFormat } from "../wire/configuration.ts";
import { encodeList } from "../wire/device-list.ts";
import type { SourceSelection } from "../wire/subsystem.ts";

type Size = readonly [width: number, height: number];

const usualSizes: readonly Size[] = [
  ...([
    [1952, 1100],
    [1920, 1080],
    [1504, 846],
    [1280, 720],
    [1128, 636],
  ] as const),
  ...([
    [960, 540],
    [760, 428],
    [640, 360],
    [500, 282],
    [424, 240],
  ] as const),
];

const sizesOfRate: Record<number, readonly Size[]> = {
  60: [
    [1952, 1100],
    [1504, 846],
  ],
  30: usualSizes,
  15: usualSizes,
  5: [[1504, 846]],
};

export function isPersonalVideoFormat({ width, height, framerate }: VideoFormat): boolean {
  return sizesOfRate[framerate]?.some(([w, h]) => w === width && h === height) ?? false;
}

/** A camera on the headset's USB port: colour, and depth of the same sizes. */
const usbSizes: readonly Size[] = [
  [640, 480],
  [1280, 720],
  [1920, 1080],
  [640, 360],
];
export const depthFormats: readonly VideoFormat[] = [
  { width: 640, height: 480, framerate: 30 },
  { width: 320, height: 240, framerate: 30 },
  { width: 640, height: 360, framerate: 30 },
];

const streamType = { videoRecord: 1, audio: 2 } as const;
const sourceKind = { color: 1, depth: 3, audio: 4 } as const;

const colorFormats = usbSizes.flatMap(([Width, Height]) =>
  [30, 15].map((FrameRate) => ({ Width, Height, FrameRate, Subtype: "NV12" })),
);
const depthDescriptions = depthFormats.map(({ width, height, framerate }) => ({
  ...{ Width: width, Height: height, FrameRate: framerate, Subtype: "D16" },
}));

const sourcesPerGroup = 2;
const groups = [group("Simulated USB camera", 0)];

export function isCameraSelection({ group, source, profile }: SourceSelection): boolean {
  const exists = (index: number, count: number) => index >= 0 && index < count;
  return exists(group, groups.length) && exists(source, sourcesPerGroup) && profile === 0;
}

export function isCameraFormat({ width, height, framerate }: VideoFormat): boolean {
  return colorFormats.some(
    (format) =>
      format.Width === width &&
      format.Height === height &&
      Math.trunc(format.FrameRate) === framerate,
  );
}

function group(name: string, number: number) {
  const profile = `{00000000-0000-4000-8000-00000000000${number}},0`;
  return {
    DisplayName: name,
    Id: `simulated-group-${number}`,
    SourceInfos: [
      {
        ...{ MediaStreamType: streamType.videoRecord, MediaSourceKind: sourceKind.color },
        ...{ Id: `color@simulated-group-${number}`, ProfileId: profile },
        VideoProfileMediaDescription: colorFormats,
      },
      {
        ...{ MediaStreamType: streamType.videoRecord, MediaSourceKind: sourceKind.depth },
        ...{ Id: `depth@simulated-group-${number}`, ProfileId: profile },
        VideoProfileMediaDescription: depthDescriptions,
      },
    ],
    VideoProfiles: [{ Id: profile, SupportedRecordMediaDescription: colorFormats }],
  };
}

export const cameraList = encodeList(groups);

const audioFormats = [
  {
    ...{ SampleRate: 48000, ChannelCount: 2, Subtype: "PCM", BitsPerSample: 16 },
    Bitrate: 1_536_000,
  },
  {
    ...{ SampleRate: 48000, ChannelCount: 2, Subtype: "Float", BitsPerSample: 32 },
    Bitrate: 3_072_000,
  },
].map((format) => ({ ...format, IsSpatial: false }));

export const audioList = encodeList([
  {
    Id: "simulated-microphone-0",
    Name: "Simulated USB microphone",
    FrameSources: [
      {
        ...{ MediaStreamType: streamType.audio, MediaSourceKind: sourceKind.audio },
        ...{ Id: "audio@simulated-microphone-0", SupportedFormats: audioFormats },
      },
    ],
  },
]);
