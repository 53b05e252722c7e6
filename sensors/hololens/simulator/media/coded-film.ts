/** A film as access units: each picture coded once for a configuration, as long as there is room to keep it. */
import { statSync } from "node:fs";
import type { Ffmpeg } from "../../../video/ffmpeg.ts";
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
