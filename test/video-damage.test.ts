/**
 * No damaged picture is handed out, whatever was lost: packets are taken away or cut short, and every
 * picture that the decoder gives is held to what it gives for the whole film.
 *
 * Not seen, since nothing can see it: bits that changed inside a packet and still decode. TCP, UDP and
 * files have their own checks against that.
 */
import { afterAll, describe, expect, test } from "bun:test";
import type { Frame, Packet } from "node-av/lib";
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";
import { listenToFfmpeg } from "../sensors/video/ffmpeg-log.ts";
import { createPictureDecoder } from "../sensors/video/picture-decoder.ts";
import { openSource } from "../sensors/video/source.ts";
import { filmFolder, haveFfmpeg, makeFilm, md5 } from "./video-rig.ts";

const films = filmFolder();
afterAll(() => films.remove());

type Damage = (number: number, packet: Packet) => boolean;

interface Decoded {
  /** MD5 by time. */
  pictures: Map<bigint, string>;
  dropped: number;
}

/** `damage` may change a packet; false takes it away. */
async function decode(path: string, damage: Damage): Promise<Decoded> {
  const ffmpeg = await loadFfmpeg();
  const log = listenToFfmpeg(ffmpeg, () => {});
  const options = { audio: false, transport: "tcp" as const };
  const address = { type: "file" as const, path, words: path };
  const never = new AbortController().signal;
  const source = await openSource(ffmpeg, log, { ...options, address }, never);
  const decoded: Decoded = { pictures: new Map(), dropped: 0 };
  const decoder = createPictureDecoder(ffmpeg, log, source.picture, {
    threads: 1,
    live: true,
    dropped: (count) => {
      decoded.dropped += count;
    },
  });
  const take = async (packet: Packet | null) => {
    for await (const frame of decoder.pictures(packet)) {
      decoded.pictures.set(frame.bestEffortTimestamp, md5OfFrame(frame));
    }
  };
  const packet = new ffmpeg.Packet();
  packet.alloc();
  for (let number = 0; (await source.read(packet)) >= 0; number++) {
    if (damage(number, packet)) await take(packet);
    packet.unref();
  }
  await take(null);
  decoder.close();
  await source.close();
  log.close();
  return decoded;
}

function md5OfFrame(frame: Frame): string {
  return md5(frame.toBuffer());
}

const takenAway =
  (number: number): Damage =>
  (at) =>
    at !== number;

const cutShort =
  (number: number, share: number): Damage =>
  (at, packet) => {
    if (at !== number) return true;
    const { pts, dts, duration, flags, data } = packet;
    const whole = data as Buffer;
    packet.data = Buffer.from(whole.subarray(0, Math.max(8, Math.floor(whole.length * share))));
    Object.assign(packet, { pts, dts, duration, flags });
    return true;
  };

/** What a decoder papers over with a guess, and says so in its log only. */
const overwritten =
  (number: number): Damage =>
  (at, packet) => {
    if (at !== number) return true;
    const { pts, dts, duration, flags, data } = packet;
    const bytes = Buffer.from(data as Buffer);
    bytes.fill(0, Math.floor(bytes.length / 3), Math.floor((2 * bytes.length) / 3));
    packet.data = bytes;
    Object.assign(packet, { pts, dts, duration, flags });
    return true;
  };

/** Key frames every 12 pictures of 50. */
const codecs: Record<string, { options: string[]; seesLoss: boolean }> = {
  "H.264": { options: ["-c:v", "libx264", "-bf", "0", "-g", "12"], seesLoss: true },
  "H.264 with B pictures": { options: ["-c:v", "libx264", "-bf", "3", "-g", "12"], seesLoss: true },
  "H.264 without key frames (intra refresh)": {
    options: ["-c:v", "libx264", "-bf", "0", "-g", "12", "-x264-params", "intra-refresh=1"],
    seesLoss: true,
  },
  HEVC: {
    options: ["-c:v", "libx265", "-x265-params", "keyint=12:log-level=error"],
    seesLoss: true,
  },
  "Motion JPEG": { options: ["-c:v", "mjpeg"], seesLoss: true },
  // No numbers in its pictures: what the transport does not miss, nobody misses.
  "MPEG-4": { options: ["-c:v", "mpeg4", "-g", "12", "-bf", "0"], seesLoss: false },
};

describe.skipIf(!haveFfmpeg)("after damage", () => {
  for (const [name, { options, seesLoss }] of Object.entries(codecs)) {
    test(`${name}: only whole pictures, and they come back`, async () => {
      const film = makeFilm(
        films.path(`${options[1]}-${options.join("").length}.mkv`),
        2,
        ...options,
        "-an",
      );
      const truth = await decode(film, () => true);
      expect(truth.pictures.size).toBe(50);
      expect(truth.dropped).toBe(0);
      const losses = [2, 7, 13, 20].map(takenAway);
      const cuts = [3, 9, 14, 21, 25].flatMap((n) => [0.2, 0.6, 0.95].map((s) => cutShort(n, s)));
      for (const damage of [...(seesLoss ? losses : []), ...cuts]) {
        const { pictures } = await decode(film, damage);
        for (const [time, hash] of pictures) expect(hash).toBe(truth.pictures.get(time) as string);
        expect(pictures.size).toBeLessThanOrEqual(50);
        // Damage costs the pictures up to the next key frame and no more.
        expect(pictures.size).toBeGreaterThanOrEqual(24);
        const [first, last] = [[...truth.pictures][0]?.[0], [...truth.pictures].at(-1)?.[0]];
        expect(pictures.has(last as bigint)).toBe(true);
        expect(pictures.has(first as bigint) || damage === losses[0]).toBe(true);
      }
    });
  }

  test("H.264 with B pictures: none that refers to a broken one that is shown later", async () => {
    const film = makeFilm(
      films.path("overwritten.mkv"),
      ...([2, "-vf", "scale=320:180", "-c:v", "libx264", "-bf", "3", "-g", "12", "-an"] as const),
    );
    const truth = await decode(film, () => true);
    // Of these two the decoder notices it; nonsense may decode as well as sense.
    for (const number of [9, 29]) {
      const { pictures } = await decode(film, overwritten(number));
      for (const [time, hash] of pictures) expect(hash).toBe(truth.pictures.get(time) as string);
      expect(pictures.size).toBeGreaterThanOrEqual(24);
    }
  });

  test("what was left out is counted", async () => {
    const film = makeFilm(
      films.path("count.mkv"),
      2,
      "-c:v",
      "libx264",
      "-bf",
      "0",
      "-g",
      "10",
      "-an",
    );
    const { pictures, dropped } = await decode(film, takenAway(12));
    // Picture 12 never came; 13 to 19 refer to it.
    expect(pictures.size).toBe(42);
    expect(dropped).toBe(7);
  });
});
