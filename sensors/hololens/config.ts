/** The keys of a headset in streamem.yaml: which streams, and how each is asked for. */
import { z } from "zod";
import { sensorConfig } from "../sensor.ts";
import {
  audioProfiles,
  depthProfiles,
  eyeTrackerRates,
  pngFilters,
  videoProfiles,
} from "./wire/codes.ts";
import { type StreamName, streamPorts } from "./wire/ports.ts";

/** The keys of a table of codes, as zod wants them. */
function nameOf<Codes extends Record<string, number>>(codes: Codes) {
  return z.enum(Object.keys(codes) as [keyof Codes & string, ...(keyof Codes & string)[]]);
}

const streams = Object.keys(streamPorts) as [StreamName, ...StreamName[]];

/** All that run together on a usual device, without those that need a choice of their own. */
const usualStreams: StreamName[] = [
  "pv",
  "vlc-leftfront",
  "vlc-leftleft",
  "vlc-rightfront",
  "vlc-rightright",
  "depth-longthrow",
  "accelerometer",
  "gyroscope",
  "magnetometer",
  "microphone",
  "spatial-input",
  "eye-tracker",
];

export const hololensPixelFormats = ["bgr24", "rgb24", "gray", "nv12"] as const;

const divisor = z.number().int().min(1).max(255).default(1);
const encoding = {
  profile: nameOf(videoProfiles).default("h265-main"),
  /** Bit/s; default: what the device's own software asks for. */
  bitrate: z.number().int().min(1).max(0xffff_ffff).optional(),
  /** One frame out of so many. */
  divisor,
};
const side = z.number().int().min(2).max(4096);
const index = z.number().int().min(0).max(1022);

const video = {
  width: side.default(1280),
  height: side.default(720),
  framerate: z.number().int().min(1).max(255).default(30),
  ...encoding,
  pixelFormat: z.enum(hololensPixelFormats).default("bgr24"),
  /** Opens the camera beside another program on the headset, which then decides about its format. */
  shared: z.boolean().default(false),
};

/** An object of keys that all have defaults. */
function group<Shape extends z.ZodRawShape>(shape: Shape) {
  const object = z.strictObject(shape);
  return object.prefault({} as z.input<typeof object>);
}

function rawOnly(key: string) {
  return { path: [key], error: "can only be true with profile: raw" };
}

export const hololensConfig = sensorConfig({
  /** Of the headset: name or IPv4 address. */
  host: z.string().min(1),
  /** Added to every port of the protocol, for a simulator beside another. */
  ports: z.number().int().min(0).max(61_000).default(0),
  streams: z
    .array(z.enum(streams))
    .min(1)
    .default(usualStreams)
    .transform((names) => [...new Set(names)]),
  /** Ask for the pose of each frame. */
  pose: z.boolean().default(true),
  /** A stream's frames are stamped so many ms after they were captured. */
  lagMs: z.partialRecord(z.enum(streams), z.number().min(-10_000).max(10_000)).default({}),
  pv: group({ ...video, mixedReality: z.boolean().default(false) }),
  vlc: group({ ...encoding, pixelFormat: z.enum(["gray", "bgr24"]).default("gray") }),
  ahat: group({ ...encoding, depthProfile: nameOf(depthProfiles).default("same") }),
  longthrow: group({ divisor, pngFilter: nameOf(pngFilters).default("paeth") }),
  microphone: group({
    profile: nameOf(audioProfiles).default("aac-192k"),
    /** The five microphones instead of stereo; only with `profile: raw`. */
    array: z.boolean().default(false),
  }).refine(({ array, profile }) => !array || profile === "raw", rawOnly("array")),
  eyeTracker: group({ fps: z.literal([...eyeTrackerRates]).default(30) }),
  extendedAudio: group({
    mixer: z.enum(["microphone", "application", "both"]).default("both"),
    profile: nameOf(audioProfiles).default("aac-192k"),
    loopbackGain: z.number().min(0).max(5).default(1),
    microphoneGain: z.number().min(0).max(5).default(1),
    /** Of the device list; default: the system's own device. */
    device: index.optional(),
    /** The device's bytes as they are; only with `profile: raw`. Then source and format of the list count. */
    passthrough: z.boolean().default(false),
    source: index.default(0),
    format: index.default(0),
  }).refine(
    ({ passthrough, profile }) => !passthrough || profile === "raw",
    rawOnly("passthrough"),
  ),
  /** Which camera: indices of the device list, which the log shows at the start. */
  extendedVideo: group({
    group: index.default(0),
    source: index.default(0),
    cameraProfile: index.default(0),
    ...video,
  }),
  extendedDepth: group({
    group: index.default(0),
    source: index.default(0),
    cameraProfile: index.default(0),
    /** The camera's format; the device refuses without one. */
    media: z.number().int().min(0).max(0xffff_fffe).default(0),
    width: side.default(640),
    height: side.default(480),
    framerate: z.number().int().min(1).max(255).default(30),
    divisor,
    depthProfile: nameOf(depthProfiles).default("zdepth"),
  }),
});

export type HololensConfig = z.infer<typeof hololensConfig>;
