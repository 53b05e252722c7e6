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

const streamType = { videoPreview: 0, videoRecord: 1, audio: 2 } as const;
const sourceKind = { color: 1, depth: 3, audio: 4 } as const;

const colorSizes: readonly Size[] = [
  [640, 480],
  [1280, 720],
  [1920, 1080],
  [640, 360],
];
const depthSizes: readonly Size[] = [
  [640, 480],
  [320, 240],
  [640, 360],
  [480, 272],
  [848, 480],
];

function everyRate(sizes: readonly Size[], rates: readonly number[]): VideoFormat[] {
  return sizes.flatMap(([width, height]) =>
    rates.map((framerate) => ({ width, height, framerate })),
  );
}

/** The USB camera's: extended depth's media index is a place in this list. */
export const depthFormats = everyRate(depthSizes, [30, 15, 5]);
const colorFormats = everyRate(colorSizes, [30, 15]);

interface Camera {
  name: string;
  sources: { kind: number; type: number }[];
  profiles: number;
}

const cameras: Camera[] = [
  {
    name: "Simulated front camera",
    sources: [streamType.videoRecord, streamType.videoPreview, streamType.videoRecord].map(
      (type) => ({ kind: sourceKind.color, type }),
    ),
    profiles: 5,
  },
  {
    name: "Simulated USB depth camera",
    sources: [sourceKind.depth, sourceKind.color].map((kind) => ({
      ...{ kind, type: streamType.videoRecord },
    })),
    profiles: 1,
  },
];

export function isCameraSelection({ group, source, profile }: SourceSelection): boolean {
  const camera = cameras[group];
  return camera?.sources[source] !== undefined && profile >= 0 && profile < camera.profiles;
}

export function isCameraFormat({ width, height, framerate }: VideoFormat): boolean {
  return colorFormats.some(
    (format) =>
      format.width === width && format.height === height && format.framerate === framerate,
  );
}

function described(formats: readonly VideoFormat[], subtype: string) {
  return formats.map(({ width, height, framerate }) => ({
    ...{ Width: width, Height: height, FrameRate: framerate, Subtype: subtype },
  }));
}

const nv12 = described(colorFormats, "NV12");
const d16 = described(depthFormats, "D16");

export const cameraList = encodeList(
  cameras.map(({ name, sources, profiles }, group) => {
    const profileOf = (index: number) => `{5d14a1e0-0000-4000-8000-00000000000${group}},${index}`;
    return {
      DisplayName: name,
      Id: `simulated-camera-${group}`,
      SourceInfos: sources.map(({ kind, type }, source) => ({
        ...{ MediaStreamType: type, MediaSourceKind: kind },
        ...{ Id: `source-${source}@simulated-camera-${group}`, ProfileId: profileOf(0) },
        VideoProfileMediaDescription: kind === sourceKind.depth ? d16 : nv12,
      })),
      VideoProfiles: Array.from({ length: profiles }, (_, profile) => ({
        ...{ Id: profileOf(profile), SupportedRecordMediaDescription: nv12 },
      })),
    };
  }),
);

const audioFormats = [
  { ChannelCount: 2, Subtype: "PCM", BitsPerSample: 16 },
  { ChannelCount: 2, Subtype: "Float", BitsPerSample: 32 },
].map((format) => ({
  ...{ ...format, SampleRate: 48000 },
  ...{ Bitrate: 48000 * format.ChannelCount * format.BitsPerSample, IsSpatial: false },
}));

export const audioList = encodeList(
  ["headset microphones", "USB microphone", "line in"].map((name, device) => ({
    ...{ Id: `simulated-audio-${device}`, Name: `Simulated ${name}` },
    FrameSources: [0, 1].map((source) => ({
      ...{ MediaStreamType: streamType.audio, MediaSourceKind: sourceKind.audio },
      ...{ Id: `source-${source}@simulated-audio-${device}`, SupportedFormats: audioFormats },
    })),
  })),
);
