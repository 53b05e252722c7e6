/**
 * Personal and extended video: the film, coded once while it is shown for the first time. Where encoding
 * cannot keep up the film runs slower in that round: no picture is left out of it.
 */
import { loadFfmpeg } from "../../../video/ffmpeg.ts";
import { videoCodec } from "../../wire/codes.ts";
import type { Configurations } from "../../wire/configuration.ts";
import { padNv12, strideOf } from "../../wire/raw-image.ts";
import { encodeVideoPayload, type VideoFooter } from "../../wire/video-payload.ts";
import type { CameraState, Source, SourceSetup } from "../source.ts";
import { pvIntrinsics } from "../world/camera-models.ts";
import { codedFilm } from "./coded-film.ts";
import { openFilm } from "./film.ts";
import { gopSizeOf, strideMaskOf } from "./video-options.ts";

type VideoSetup = SourceSetup<"pv" | "extended-video">;

interface FilmPictures {
  /** An image as it stands in a payload. */
  image(index: number): Promise<Uint8Array>;
  close(): void | Promise<void>;
}

export async function openVideoSource(setup: VideoSetup): Promise<Source> {
  const { stream, configuration, camera } = setup;
  const { width, height, framerate, divisor } = configuration;
  const raw = videoCodec(configuration.profile) === "raw";
  const pictures = await (raw ? rawFilm(setup) : encodedFilm(setup));
  const footer =
    stream === "pv"
      ? () => personalFooter(configuration, camera)
      : () => plainFooter(width, height);
  let next = 0;
  return {
    periodSeconds: divisor / framerate,
    async payload() {
      return encodeVideoPayload(await pictures.image(next++), footer());
    },
    close: () => void pictures.close(),
  };
}

async function encodedFilm({ configuration, videoFile }: VideoSetup): Promise<FilmPictures> {
  const { width, height, framerate, divisor, profile, level, bitrate, options } = configuration;
  const rate = framerate / divisor;
  const encoding = { width, height, rate, profile, level, bitrate };
  const gopSize = gopSizeOf(options, rate);
  return codedFilm(await loadFfmpeg(), { file: videoFile, encoding, gopSize });
}

async function rawFilm({ configuration, videoFile }: VideoSetup): Promise<FilmPictures> {
  const { width, height, framerate, divisor, options } = configuration;
  const view = { width, height, rate: framerate / divisor, pixelFormat: "nv12" } as const;
  const film = await openFilm(await loadFfmpeg(), videoFile, view);
  const stride = strideOf(width, strideMaskOf(options));
  return {
    async image(index) {
      const picture = await film.picture(index);
      return padNv12(picture.toBuffer(), { width, height, stride });
    },
    close: film.close,
  };
}

const focused = 3;

function personalFooter(
  { width, height }: Configurations["pv"],
  { focus, exposureTime, isoSpeed, whiteBalance }: CameraState,
): VideoFooter {
  return {
    ...pvIntrinsics({ width, height }),
    exposureTime,
    exposureCompensation: [1n, 0n],
    lensPosition: focus,
    focusState: focused,
    isoSpeed,
    whiteBalance,
    isoGains: [isoSpeed / 100, 1],
    whiteBalanceGains: [1.9, 1, 1.7],
    width,
    height,
  };
}

function plainFooter(width: number, height: number): VideoFooter {
  return {
    focalLength: [0, 0],
    principalPoint: [0, 0],
    exposureTime: 0n,
    exposureCompensation: [0n, 0n],
    lensPosition: 0,
    focusState: 0,
    isoSpeed: 0,
    whiteBalance: 0,
    isoGains: [0, 0],
    whiteBalanceGains: [0, 0, 0],
    width,
    height,
  };
}
