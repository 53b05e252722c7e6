/** An opened input: its tracks, its packets, and a way out of a call that blocks. */
import { SensorError } from "../sensor.ts";
import type { Address } from "./address.ts";
import { failure } from "./failure.ts";
import type { Ffmpeg, FormatContext, Packet, Stream } from "./ffmpeg.ts";
import type { FfmpegLog } from "./ffmpeg-log.ts";

export interface SourceOptions {
  address: Address;
  audio: boolean;
  transport: "tcp" | "udp";
  /** Asked of a device; it may choose otherwise. */
  width?: number | undefined;
  height?: number | undefined;
  fps?: number | undefined;
  inputFormat?: string | undefined;
}

export interface Source {
  format: FormatContext;
  picture: Stream;
  sound: Stream | null;
  /** Fills the packet: 0, or a negative code of FFmpeg (AVERROR_EOF at the end). */
  read(packet: Packet): Promise<number>;
  /** Ends a read that waits. */
  interrupt(): void;
  /** False where a read hangs and cannot be interrupted: then all is left as it is. */
  close(): Promise<boolean>;
}

/** A camera that says nothing for so long is gone. */
export const silenceMs = 5000;

/**
 * How long a live source is looked at to learn its size and rate. What comes meanwhile is shown late and
 * all at once, so two frames must do for the rate (20 are FFmpeg's measure: a second lost at 25/s).
 */
const liveAnalysisUs = 400_000n;
const framesForRate = "2";

/** Throws a SensorError in words. Aborting the signal ends it at once, also while it connects. */
export async function openSource(
  ffmpeg: Ffmpeg,
  log: FfmpegLog,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Source> {
  const { address } = options;
  const format = new ffmpeg.FormatContext();
  format.allocContext(); // or there would be nothing to interrupt while it opens
  const interrupt = () => format.interrupt();
  signal.addEventListener("abort", interrupt);
  let reading: Promise<number> = Promise.resolve(0);

  const close = async () => {
    signal.removeEventListener("abort", interrupt);
    const busy = await stillBusy(reading, 0);
    if (busy) interrupt();
    if (busy && (await stillBusy(reading, 500))) return false;
    await format.closeInput();
    return true;
  };

  const step = async (code: Promise<number>, what: string) => {
    reading = code;
    const result = await code;
    if (signal.aborted) throw new SensorError("ended while it was opened", { retry: true });
    if (result >= 0) return;
    await log.settle();
    throw failure(ffmpeg, { address, code: result, lines: log.takeErrors(), what });
  };

  try {
    const { url, name, settings } = openSettings(options);
    const inputFormat = name ? ffmpeg.InputFormat.findInputFormat(name) : null;
    if (name && !inputFormat) {
      throw new SensorError(`this build of node-av cannot read ${name}`, { retry: false });
    }
    const dictionary = ffmpeg.Dictionary.fromObject(settings);
    await step(format.openInput(url, inputFormat, dictionary), "opened");
    if (address.type !== "file") format.maxAnalyzeDuration = liveAnalysisUs;
    await step(format.findStreamInfo(), "understood");
    const tracks = chooseTracks(ffmpeg, format, options);
    return {
      format,
      ...tracks,
      read: (packet) => {
        reading = format.readFrame(packet);
        return reading;
      },
      interrupt,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function openSettings(options: SourceOptions) {
  const { address, width, height, fps } = options;
  switch (address.type) {
    case "file":
      // Neither the path nor what a playlist names may reach out to the network.
      return { url: `file:${address.path}`, settings: { protocol_whitelist: "file" } };
    case "rtsp":
      return {
        url: address.url,
        settings: {
          rtsp_transport: options.transport,
          allowed_media_types: options.audio ? "video+audio" : "video",
          timeout: String(silenceMs * 1000),
          fpsprobesize: framesForRate,
        },
      };
    case "device":
      return {
        url: address.path,
        name: "video4linux2",
        settings: {
          ...(width && height && { video_size: `${width}x${height}` }),
          ...(fps && { framerate: String(fps) }),
          ...(options.inputFormat && { input_format: options.inputFormat }),
          fpsprobesize: framesForRate,
        },
      };
  }
}

function chooseTracks(
  { constants }: Ffmpeg,
  format: FormatContext,
  { address, audio }: SourceOptions,
): { picture: Stream; sound: Stream | null } {
  const pictureIndex = format.findBestStream(constants.AVMEDIA_TYPE_VIDEO);
  const soundIndex = audio
    ? format.findBestStream(constants.AVMEDIA_TYPE_AUDIO, -1, pictureIndex)
    : -1;
  const streams = format.streams;
  for (const stream of streams) {
    const wanted = stream.index === pictureIndex || stream.index === soundIndex;
    if (!wanted) stream.discard = constants.AVDISCARD_ALL;
  }
  const picture = streams[pictureIndex];
  if (!picture) {
    throw new SensorError(`${address.words} has no picture track`, { retry: false });
  }
  return { picture, sound: streams[soundIndex] ?? null };
}

async function stillBusy(reading: Promise<number>, ms: number): Promise<boolean> {
  const done = reading.then(
    () => false,
    () => false,
  );
  return Promise.race([done, Bun.sleep(ms).then(() => true)]);
}
