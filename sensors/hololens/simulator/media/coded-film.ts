/** A film as access units: each picture coded once for a configuration, as long as there is room to keep it. */
import { statSync } from "node:fs";
import { type Ffmpeg, loadFfmpeg } from "../../../video/ffmpeg.ts";
import { automaticLevel } from "../../wire/codes.ts";
import { defaultBitrate } from "../../wire/configuration-defaults.ts";
import { type UnitStore, unitStore } from "./coded-units.ts";
import { type Film, openFilm } from "./film.ts";
import { createLoopReader } from "./loop-reader.ts";
import {
  openPictureEncoder,
  type PictureEncoder,
  type PictureEncoding,
} from "./picture-encoder.ts";

export interface FilmEncoding {
  file: string;
  encoding: PictureEncoding;
  gopSize: number;
  store?: UnitStore;
}

export interface CodedFilm {
  /** In one round. */
  pictures: number;
  /** Access unit of a picture, counted on over all rounds. In order, one call at a time. */
  image(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export async function codedFilm(
  ffmpeg: Ffmpeg,
  { file, encoding, gopSize, store = unitStore }: FilmEncoding,
): Promise<CodedFilm> {
  const film = await openFilm(ffmpeg, file, { ...encoding, pixelFormat: "yuv420p" });
  const { size, mtimeMs } = statSync(file);
  const key = JSON.stringify([file, size, mtimeMs, encoding, gopSize]);
  let encoder: Promise<PictureEncoder> | null = null;
  const reader = createLoopReader({
    units: store.of(key),
    pictures: film.pictures,
    groupSize: gopSize,
    async encode(index, keyFrame) {
      encoder ??= openPictureEncoder(ffmpeg, encoding);
      return (await encoder).encode(await film.picture(index), keyFrame);
    },
  });
  let running: Promise<unknown> = Promise.resolve();
  return {
    pictures: film.pictures,
    image(index) {
      const unit = reader.unit(index % film.pictures);
      running = unit.catch(() => {});
      return unit;
    },
    async close() {
      await running;
      await release(film, encoder);
    },
  };
}

async function release(film: Film, encoder: Promise<PictureEncoder> | null): Promise<void> {
  (await encoder?.catch(() => null))?.close();
  await film.close();
}

/**
 * The first pictures of a film, as the device would send them: to measure decoding alone.
 * @param framerate pictures a second, and from one key frame to the next
 * @param bitrate bit/s; left out: what the device's own client asks for
 */
export async function encodeFilm({
  videoFile,
  width,
  height,
  framerate,
  profile,
  frames,
  bitrate = defaultBitrate({ width, height, framerate }, profile),
}: {
  videoFile: string;
  width: number;
  height: number;
  framerate: number;
  profile: number;
  frames: number;
  bitrate?: number;
}): Promise<Uint8Array[]> {
  const encoding = { width, height, rate: framerate, profile, level: automaticLevel, bitrate };
  const film = await codedFilm(await loadFfmpeg(), {
    file: videoFile,
    encoding,
    gopSize: framerate,
  });
  try {
    const units: Uint8Array[] = [];
    for (let i = 0; i < frames; i++) units.push(await film.image(i));
    return units;
  } finally {
    await film.close();
  }
}
