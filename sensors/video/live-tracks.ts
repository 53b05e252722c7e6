/** The tracks of a live source while it is connected: packets in, pictures and blocks of sound out at once. */
import type { SensorContext } from "../sensor.ts";
import { type Ffmpeg, known, type Packet, type Stream, ticksToNs, unitOf } from "./ffmpeg.ts";
import type { FfmpegLog } from "./ffmpeg-log.ts";
import type { LiveClock } from "./live-clock.ts";
import { createPictureDecoder, leftOut } from "./picture-decoder.ts";
import type { PictureOrigin, PictureRing } from "./picture-ring.ts";
import { rateOf } from "./rate.ts";
import { createSoundDecoder } from "./sound-decoder.ts";
import type { PlacedBlock, SoundOrigin, SoundRing } from "./sound-ring.ts";
import type { SourceOptions } from "./source.ts";

export interface Live {
  ffmpeg: Ffmpeg;
  log: FfmpegLog;
  context: SensorContext;
  options: SourceOptions;
  threads: number;
  pictures: PictureRing;
  sound: SoundRing;
}

export interface LiveTrack {
  take(packet: Packet, arrivalNs: bigint): Promise<void>;
  close(): void;
}

/** Arrivals of packets whose pictures are still in the decoder; more than that is never in there. */
const waitingMax = 256;

/** `shown` is called after each picture. */
export function showLive(
  live: Live,
  stream: Stream,
  clock: LiveClock,
  shown: () => void,
): LiveTrack {
  const { ffmpeg, log, context, options, pictures, threads } = live;
  const { timeBase } = stream;
  const dropped = (count: number, why: string) => leftOut(context, count, why);
  const decoder = createPictureDecoder(ffmpeg, log, stream, { threads, live: true, dropped });
  const arrivals = new Map<bigint, bigint>();
  let origin: PictureOrigin | null = null;

  return {
    async take(packet, arrivalNs) {
      const sent = known(ffmpeg, packet.pts);
      if (sent !== null) {
        clock.arrived(ticksToNs(sent, timeBase), arrivalNs);
        arrivals.set(sent, arrivalNs);
        if (arrivals.size > waitingMax) arrivals.clear();
      }
      origin ??= originOf(stream, decoder.codec, clock, options);
      for await (const frame of decoder.pictures(packet)) {
        if (context.signal.aborted) return;
        const ticks = known(ffmpeg, frame.bestEffortTimestamp);
        const arrivalTimeNs = (ticks !== null && arrivals.get(ticks)) || arrivalNs;
        pictures.place(frame, origin);
        pictures.publish({
          deviceTime: ticks !== null && ticks >= 0n ? ticks : undefined,
          captureTimeNs:
            ticks === null
              ? arrivalTimeNs
              : clock.captureTimeNs(ticksToNs(ticks, timeBase), arrivalTimeNs),
          clockEpoch: clock.epoch,
          arrivalTimeNs,
        });
        if (ticks !== null) arrivals.delete(ticks);
        shown();
      }
    },
    close: decoder.close,
  };
}

function originOf(
  stream: Stream,
  codec: string,
  clock: LiveClock,
  { address }: SourceOptions,
): PictureOrigin {
  const ticks = unitOf(stream.timeBase);
  const device = address.type === "device" && clock.method === "local";
  return {
    rate: rateOf(stream),
    ticks,
    clock: {
      name: device ? "CLOCK_MONOTONIC" : "RTP timestamps",
      unit: ticks,
      epoch: device ? "boot" : "connection",
      method: clock.method,
    },
    source: { kind: "video", url: address.words, codec },
  };
}

export function playLive(live: Live, stream: Stream, clock: LiveClock): LiveTrack {
  const { ffmpeg, context, options, sound } = live;
  const decoder = createSoundDecoder(ffmpeg, stream, (why) => {
    context.counters.droppedSound = (context.counters.droppedSound ?? 0) + 1;
    context.log.debug(`a packet of sound left out: ${why}`);
  });
  const origin: SoundOrigin = {
    epoch: "connection",
    method: clock.method,
    source: { kind: "video", url: options.address.words, codec: decoder.codec },
    live: true,
  };
  const publish = (placed: PlacedBlock, arrivalNs: bigint) =>
    sound.publish(placed, {
      captureTimeNs: clock.captureTimeNs(placed.mediaNs, arrivalNs),
      clockEpoch: clock.epoch,
      arrivalTimeNs: arrivalNs,
    });
  return {
    async take(packet, arrivalNs) {
      const sent = known(ffmpeg, packet.pts);
      if (sent !== null) clock.arrived(ticksToNs(sent, stream.timeBase), arrivalNs);
      for (const samples of decoder.samples(packet)) {
        for (const placed of sound.push(samples, origin)) publish(placed, arrivalNs);
      }
    },
    close: decoder.close,
  };
}
