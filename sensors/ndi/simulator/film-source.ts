/** A film with its sound, as the sensor `video` plays it: only that it goes to libndi and not into rings. */

import type { Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import type { FfmpegLog } from "../../video/ffmpeg-log.ts";
import { playFilm } from "../../video/film.ts";
import type { Film } from "../../video/film-tracks.ts";
import { createPictureConversion, overrunBytes } from "../../video/picture-conversion.ts";
import type { PictureRing } from "../../video/picture-ring.ts";
import type { SoundRing } from "../../video/sound-ring.ts";
import { fourCC } from "../libndi/structs.ts";
import type { FaultName } from "./fault-kinds.ts";
import { parseSize } from "./forms.ts";
import type { Outlet } from "./outlet.ts";
import { rational } from "./rate.ts";

export interface FilmOptions {
  ffmpeg: Ffmpeg;
  ffmpegLog: FfmpegLog;
  file: string;
  /** Default: the film's own. */
  size: { width: number; height: number } | null;
  log(words: string): void;
}

/** Of a film that does not tell its rate. */
const guessedRate = 25;

export class FilmSource {
  readonly outlet: Outlet;
  readonly #options: FilmOptions;
  #size: FilmOptions["size"];

  constructor(outlet: Outlet, options: FilmOptions) {
    this.outlet = outlet;
    this.#options = options;
    this.#size = options.size;
  }

  /** Again and again. @throws SensorError where there is no such film, or it cannot be decoded */
  async run(signal: AbortSignal): Promise<void> {
    const { ffmpeg, ffmpegLog, file, log } = this.#options;
    const say = (words: string) => log(`${file}: ${words}`);
    const film: Film = {
      ffmpeg,
      log: ffmpegLog,
      context: {
        signal,
        counters: {},
        log: { debug() {}, info: say, warn: say, error: say },
        state() {},
        clock() {},
      },
      options: {
        address: { type: "file", path: file, words: file },
        audio: true,
        transport: "tcp",
      },
      loop: true,
      threads: 1,
      pictures: this.#pictures(),
      sound: this.#sound(),
    };
    try {
      await playFilm(film);
    } finally {
      film.pictures.close();
    }
  }

  /** @returns whether a film can do it */
  apply(fault: FaultName, value: string | null): boolean {
    if (fault !== "size") return false;
    const { width, height } = parseSize(value ?? "");
    this.#size = { width: even(width), height: even(height) };
    return true;
  }

  #pictures(): PictureRing {
    const conversion = createPictureConversion(this.#options.ffmpeg, "nv12");
    let data = new Uint8Array(0);
    let size = { width: 0, height: 0 };
    let rate = rational(guessedRate);
    const prepare = (frame: Frame) => {
      const wanted = this.#size ?? { width: even(frame.width), height: even(frame.height) };
      if (wanted.width === size.width && wanted.height === size.height) return;
      size = wanted;
      data = new Uint8Array((size.width * size.height * 3) / 2 + overrunBytes);
      conversion.prepare(size);
    };
    return {
      place: (frame, origin) => {
        prepare(frame);
        rate = rational(origin.rate ?? guessedRate);
        conversion.convert(frame, data);
      },
      publish: () => {
        const picture = { ...size, fourCC: fourCC.NV12, strideBytes: size.width, data };
        this.outlet.picture(picture, rate);
      },
      discard() {},
      close: () => conversion.close(),
    };
  }

  /** As the decoder gives it, with no blocks of one size: that is the receiver's task. */
  #sound(): SoundRing {
    let heardNs = 0n;
    let form = { sampleRateHz: 1, channels: 1 };
    return {
      *push({ planes, samples, sampleRateHz, channels, mediaNs }) {
        if (samples === 0) return;
        form = { sampleRateHz, channels };
        const data = new Float32Array(samples * channels);
        for (const [i, plane] of planes.entries())
          data.set(plane.subarray(0, samples), i * samples);
        const fromNs = mediaNs ?? heardNs;
        heardNs = fromNs + BigInt(Math.round((samples * 1e9) / sampleRateHz));
        yield { block: { data, samples, firstSample: 0 }, mediaNs: fromNs, endNs: heardNs };
      },
      *flush() {},
      publish: ({ block: { data: planes, samples } }) =>
        this.outlet.sound({ ...form, planes, samples, strideBytes: samples * 4 }),
    };
  }
}

/** One colour stands for four pixels. */
function even(pixels: number): number {
  return Math.max(2, pixels & ~1);
}
