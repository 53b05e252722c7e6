/**
 * Pictures and sound of a file, an RTSP camera or a V4L2 device, decoded by FFmpeg (node-av) straight
 * into the ring.
 *
 * - a file is paced by its own timestamps, once or in a loop. Its clock is the film: `deviceTime` counts
 *   ticks from its beginning, each round is a new `clockEpoch`, and capture time is the moment it is shown.
 * - RTSP is stamped one way: `deviceTime` are the RTP timestamps, the error of capture times is unknown.
 * - V4L2 has the kernel's stamps of CLOCK_MONOTONIC.
 *
 * A reconnect keeps the rings and grows `clockEpoch`; another size of picture is a new generation.
 */
import { z } from "zod";
import { redact } from "../src/log/redact.ts";
import { type SensorKind, sensorConfig } from "./sensor.ts";
import { type Address, parseAddress } from "./video/address.ts";
import { loadFfmpeg } from "./video/ffmpeg.ts";
import { listenToFfmpeg } from "./video/ffmpeg-log.ts";
import { playFilm } from "./video/film.ts";
import { followLive } from "./video/live.ts";
import { createPictureRing } from "./video/picture-ring.ts";
import { layoutOf, pixelFormats } from "./video/pixel-formats.ts";
import { createSoundRing } from "./video/sound-ring.ts";

const pixels = z.number().int().min(2).max(16384);

const config = sensorConfig({
  /** `rtsp://[user:password@]host/path`, a file, or a device such as /dev/video0. */
  url: z
    .string()
    .refine((text) => parseAddress(text) !== null, "must be rtsp://…, a file or /dev/video0"),
  /** Files only: begin again at the end. */
  loop: z.boolean().default(false),
  pixelFormat: z.enum(pixelFormats).default("bgr24"),
  /** Scaled to this; one of both keeps the proportions. A device is asked for it first. */
  width: pixels.optional(),
  height: pixels.optional(),
  /** The audio track, if there is one, becomes the stream `<name>.audio`. */
  audio: z.boolean().default(true),
  /** RTSP only. UDP loses packets, and with each one all pictures up to the next key frame. */
  transport: z.enum(["tcp", "udp"]).default("tcp"),
  /** Devices only: asked for this rate and input format (`v4l2-ctl --list-formats-ext` lists them). */
  fps: z.number().positive().max(1000).optional(),
  inputFormat: z
    .string()
    .regex(/^[a-z0-9_]+$/, "must be FFmpeg's name, such as mjpeg or yuyv422")
    .optional(),
  /** Of the decoder. One decodes 1080p H.264 at 200 frames/s; more delay a film's start, nothing else. */
  threads: z.number().int().min(1).max(64).default(1),
});

type Config = z.infer<typeof config>;

export const video: SensorKind<Config> = {
  kind: "video",
  summary: "a file, an RTSP camera or a V4L2 device, with its sound (needs node-av)",
  config,
  streams: plan,

  async run(config, context) {
    const address = parseAddress(config.url) as Address;
    const ffmpeg = await loadFfmpeg();
    const log = listenToFfmpeg(ffmpeg, (words) => context.log.debug(redact(`FFmpeg: ${words}`)));
    const pictures = createPictureRing(ffmpeg, context, config);
    const { loop, threads } = config;
    const options = { ...config, address };
    const common = { ffmpeg, log, context, options, threads, pictures };
    try {
      const sound = createSoundRing(context);
      if (address.type === "file") await playFilm({ ...common, sound, loop });
      else await followLive({ ...common, sound });
    } finally {
      pictures.close();
      log.close();
    }
  },
};

function plan({ name, url, pixelFormat, width, height, audio }: Config) {
  const address = parseAddress(url);
  const source = { kind: "video", url: address?.words };
  const layout = width && height ? layoutOf(pixelFormat, { width, height }) : {};
  const picture = { name, spec: { kind: "video" as const, ...layout, pixelFormat, source } };
  const sound = { name: `${name}.audio`, spec: { kind: "audio" as const, dtype: "<f4", source } };
  return audio && address?.type !== "device" ? [picture, sound] : [picture];
}
