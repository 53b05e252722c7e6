/** A file, played once or in a loop, at its own pace: pictures to one ring, sound to another. */
import { SensorError } from "../sensor.ts";
import { failure } from "./failure.ts";
import { type Ffmpeg, known, type Stream, ticksToNs } from "./ffmpeg.ts";
import { createFilmTime, type FilmTime } from "./film-time.ts";
import { type Film, type Played, playSound, type Round, showPictures } from "./film-tracks.ts";
import { queuePackets } from "./packets.ts";
import { openSource, type Source } from "./source.ts";

/**
 * Where sound outlasts the pictures by less than this, it is the filling of the last packets (AAC: 21 ms
 * each), and a loop that waited for it would hold a picture too long in every round. Longer sound is heard
 * to its end, and a film played once leaves nothing out.
 */
const overhangNs = 100_000_000n;

const microseconds = { num: 1, den: 1_000_000 };

/** Returns at the end of the film, or when the sensor is told to end. */
export async function playFilm(film: Film): Promise<void> {
  const { context } = film;
  const time = createFilmTime();
  let source: Source | null = null;
  try {
    do {
      source = await atTheBeginning(film, source);
      await playRound(film, source, time);
    } while (film.loop && !context.signal.aborted);
  } finally {
    await source?.close();
  }
}

/** Wound back, or opened where it is not open yet or cannot be wound. */
async function atTheBeginning(film: Film, source: Source | null): Promise<Source> {
  if (source && (await windBack(film.ffmpeg, source))) return source;
  await source?.close();
  return openSource(film.ffmpeg, film.log, film.options, film.context.signal);
}

async function windBack(ffmpeg: Ffmpeg, { format }: Source): Promise<boolean> {
  const start = known(ffmpeg, format.startTime) ?? 0n;
  const anythingBefore = -(2n ** 63n);
  return (await format.seekFile(-1, anythingBefore, start, start)) >= 0;
}

async function playRound(film: Film, source: Source, time: FilmTime): Promise<void> {
  const { ffmpeg, log, context, options } = film;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let readError: SensorError | null = null;
  const tracks = [source.picture, source.sound].flatMap((stream) => stream?.index ?? []);
  const packets = queuePackets(ffmpeg, source, tracks, (code) => {
    const lines = log.takeErrors();
    readError = failure(ffmpeg, { address: options.address, code, lines, what: "read further" });
  });
  const round: Round = { source, packets, time, signal, soundEndNs: soundEnd(film, source) };
  time.begin(ticksToNs(known(ffmpeg, source.format.startTime) ?? 0n, microseconds));
  try {
    const [pictures, sound] = await Promise.all([
      showPictures(film, round),
      playSound(film, round),
    ]);
    if (context.signal.aborted) return;
    await time.end(later(pictures.endNs, sound.endNs), signal);
    await judge(film, pictures, readError);
  } finally {
    stop.abort();
    packets.close();
  }
}

function later(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}

/** A loop leaves a short overhang out, where the file says how long its tracks are. */
function soundEnd({ ffmpeg, loop }: Film, { picture, sound }: Source): bigint | null {
  if (!loop || !sound) return null;
  const pictureEndNs = endOf(ffmpeg, picture);
  const soundEndNs = endOf(ffmpeg, sound);
  if (pictureEndNs === null || soundEndNs === null) return null;
  return soundEndNs - pictureEndNs < overhangNs ? pictureEndNs : null;
}

function endOf(ffmpeg: Ffmpeg, { startTime, duration, timeBase }: Stream): bigint | null {
  const length = known(ffmpeg, duration);
  return length === null ? null : ticksToNs((known(ffmpeg, startTime) ?? 0n) + length, timeBase);
}

/** A film that was cut is played as far as it goes; then its user is told. */
async function judge(film: Film, pictures: Played, readError: SensorError | null): Promise<void> {
  const { log, loop, context, options } = film;
  const where = options.address.words;
  await log.settle();
  const cut = log.take("cut");
  if (pictures.count === 0) {
    const why = readError?.message ?? cut;
    const words = `no picture of ${where} could be decoded${why ? `: ${why}` : ""}`;
    throw new SensorError(words, { retry: false });
  }
  if (!cut && !readError) return;
  const seconds = (Number(pictures.endNs) / 1e9).toFixed(2);
  const words =
    `${where} is cut: it ends in the middle, after ${pictures.count} pictures at ${seconds} s ` +
    `(${readError?.message ?? `FFmpeg: ${cut}`})`;
  if (!loop) throw new SensorError(words, { retry: false });
  context.log.warn(words);
  context.state("running", words);
}
