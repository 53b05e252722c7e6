/** The two tracks of a film, each played at its own times: what a round does between begin and end. */
import type { SensorContext } from "../sensor.ts";
import { type Ffmpeg, known, type Packet, ticksToNs, unitOf } from "./ffmpeg.ts";
import type { FfmpegLog } from "./ffmpeg-log.ts";
import type { FilmTime } from "./film-time.ts";
import type { PacketQueues } from "./packets.ts";
import { createPictureDecoder, leftOut } from "./picture-decoder.ts";
import type { PictureOrigin, PictureRing } from "./picture-ring.ts";
import { rateOf } from "./rate.ts";
import { createSoundDecoder, type Samples } from "./sound-decoder.ts";
import type { PlacedBlock, SoundOrigin, SoundRing } from "./sound-ring.ts";
import type { Source, SourceOptions } from "./source.ts";

/** What playing needs to know and to tell; a sensor's context is one. */
export type Player = Pick<SensorContext, "signal" | "counters" | "log" | "state" | "clock">;

export interface Film {
  ffmpeg: Ffmpeg;
  log: FfmpegLog;
  context: Player;
  options: SourceOptions;
  loop: boolean;
  threads: number;
  pictures: PictureRing;
  sound: SoundRing;
}

/** One round from the first packet to the last. */
export interface Round {
  source: Source;
  packets: PacketQueues;
  time: FilmTime;
  /** Aborted when the sensor ends, and when the other track has failed. */
  signal: AbortSignal;
  /** Sound from this moment on is left out. */
  soundEndNs: bigint | null;
}

export interface Played {
  /** Where the track ended, in the film's time. */
  endNs: bigint;
  /** Pictures shown, or blocks of sound. */
  count: number;
}

const beginning = "beginning of the file";
/** For a file that tells no rate and no times (a bare H.264 stream): what FFmpeg assumes too. */
const guessedRate = 25;

export async function showPictures(film: Film, round: Round): Promise<Played> {
  const { ffmpeg, log, context, pictures, threads } = film;
  const { source, packets, time, signal } = round;
  const { timeBase, index } = source.picture;
  const dropped = (count: number, why: string) => leftOut(context, count, why);
  const options = { threads, live: false, dropped };
  const decoder = createPictureDecoder(ffmpeg, log, source.picture, options);
  const rate = rateOf(source.picture);
  const usualNs = BigInt(Math.round(1e9 / (rate ?? guessedRate)));
  const unit = unitOf(timeBase);
  const origin: PictureOrigin = {
    rate,
    ticks: unit,
    clock: { name: "film", unit, epoch: beginning, method: "local" },
    source: { kind: "video", url: film.options.address.words, codec: decoder.codec },
  };
  const played: Played = { endNs: 0n, count: 0 };
  try {
    for await (const packet of each(packets, index, signal)) {
      for await (const frame of decoder.pictures(packet)) {
        const ticks = known(ffmpeg, frame.bestEffortTimestamp);
        const mediaNs = ticks === null ? played.endNs : ticksToNs(ticks, timeBase);
        const durationNs = frame.duration > 0n ? ticksToNs(frame.duration, timeBase) : usualNs;
        pictures.place(frame, origin);
        const captureTimeNs = await time.picture(mediaNs, durationNs, signal);
        if (signal.aborted) {
          pictures.discard();
          return played;
        }
        pictures.publish({
          deviceTime: ticks !== null && ticks >= 0n ? ticks : undefined,
          captureTimeNs,
          timeErrorNs: 0n,
          clockEpoch: time.epoch,
        });
        played.endNs = mediaNs + durationNs;
        played.count += 1;
        if (played.count === 1) tellClock(context, time);
      }
    }
  } finally {
    decoder.close();
  }
  return played;
}

export async function playSound(film: Film, round: Round): Promise<Played> {
  const { ffmpeg, context, sound } = film;
  const { source, packets, time, signal } = round;
  const played: Played = { endNs: 0n, count: 0 };
  if (!source.sound) return played;
  const decoder = createSoundDecoder(ffmpeg, source.sound, (why) => {
    context.counters.droppedSound = (context.counters.droppedSound ?? 0) + 1;
    context.log.debug(`a packet of sound left out: ${why}`);
  });
  const origin: SoundOrigin = {
    epoch: beginning,
    method: "local",
    source: { kind: "video", url: film.options.address.words, codec: decoder.codec },
    live: false,
  };
  const play = async (placed: PlacedBlock) => {
    const captureTimeNs = await time.sound(placed.mediaNs, placed.endNs, signal);
    if (signal.aborted) return;
    sound.publish(placed, { captureTimeNs, timeErrorNs: 0n, clockEpoch: time.epoch });
    played.endNs = placed.endNs;
    played.count += 1;
  };
  try {
    for await (const packet of each(packets, source.sound.index, signal)) {
      for (const samples of decoder.samples(packet)) {
        const heard = endAt(round.soundEndNs, samples);
        for (const placed of sound.push(heard, origin)) await play(placed);
      }
    }
    for (const placed of sound.flush()) await play(placed);
  } finally {
    decoder.close();
  }
  return played;
}

/** The packets of a track, and null at their end. Each is freed when the next is asked for. */
async function* each(
  packets: PacketQueues,
  track: number,
  signal: AbortSignal,
): AsyncGenerator<Packet | null> {
  for (;;) {
    const packet = await packets.next(track);
    try {
      if (signal.aborted) return;
      yield packet;
    } finally {
      packet?.free();
    }
    if (!packet) return;
  }
}

function endAt(endNs: bigint | null, samples: Samples): Samples {
  if (endNs === null || samples.mediaNs === null) return samples;
  const leftNs = endNs - samples.mediaNs;
  const left = Math.max(0, Math.round((Number(leftNs) * samples.sampleRateHz) / 1e9));
  return { ...samples, samples: Math.min(samples.samples, left) };
}

/** A film has no clock but ours: the offset is where its beginning lies on it. */
function tellClock(context: Player, { offsetNs, epoch }: FilmTime): void {
  context.clock({
    method: "local",
    offsetNs,
    errorNs: 0n,
    ratePpm: 0,
    roundTripNs: null,
    probes: 0,
    probedNs: null,
    epoch,
  });
}
