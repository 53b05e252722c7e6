/** Sound of a film: whole, in blocks of one size, in step with the pictures. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createSoundBlocks } from "../sensors/sound-blocks.ts";
import { bigBuckBunny, ffmpeg, filmFolder, haveFfmpeg, makeFilm, VideoRig } from "./video-rig.ts";

describe("blocks", () => {
  test("whatever comes in, in whatever pieces, comes out once, in order, channel by channel", () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
    const sizes = fc.integer({ min: 1, max: 17 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), sizes, pieces, (channels, size, counts) => {
        const blocks = createSoundBlocks(channels, size);
        const heard: number[][] = Array.from({ length: channels }, () => []);
        let firstSample = 0;
        const take = (given: ReturnType<typeof blocks.flush>) => {
          for (const block of given) {
            expect(block.firstSample).toBe(firstSample);
            firstSample += block.samples;
            for (let c = 0; c < channels; c++) {
              const row = block.data.subarray(c * block.samples, (c + 1) * block.samples);
              heard[c]?.push(...row);
            }
          }
        };
        let next = 0;
        for (const count of counts) {
          const planes = Array.from({ length: channels }, (_, c) =>
            Float32Array.from({ length: count }, (_, i) => (next + i) * 4 + c),
          );
          take(blocks.push(planes, count));
          next += count;
        }
        take(blocks.flush());
        for (const [c, row] of heard.entries()) {
          expect(row).toEqual(Array.from({ length: next }, (_, i) => i * 4 + c));
        }
      }),
    );
  });
});

const rig = new VideoRig("sound");
const films = filmFolder();
afterEach(() => rig.close());
afterAll(() => films.remove());

interface Heard {
  shape: number[];
  data: Float32Array;
  deviceTime: bigint;
  captureTimeNs: bigint;
  publishTimeNs: bigint;
  clockEpoch: number;
}

async function blocks(count = Number.POSITIVE_INFINITY): Promise<Heard[]> {
  const heard: Heard[] = [];
  for await (const frame of rig.frames("film.audio")) {
    const { shape, bytes, deviceTime, captureTimeNs, publishTimeNs, clockEpoch } = frame;
    const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const times = { deviceTime, captureTimeNs, publishTimeNs, clockEpoch };
    heard.push({ shape: [...shape], data, ...times } as Heard);
    if (heard.length === count) break;
  }
  return heard;
}

/** Samples of one channel after the other, from blocks of any length. */
function joined(heard: Heard[]): Float32Array[] {
  const channels = heard[0]?.shape[0] as number;
  return Array.from({ length: channels }, (_, c) =>
    Float32Array.from(
      heard.flatMap(({ shape: [, n = 0], data }) => [...data.subarray(c * n, (c + 1) * n)]),
    ),
  );
}

/** What Debian's ffmpeg hears, channel by channel. */
function truth(film: string, channels: number): Float32Array[] {
  const bytes = ffmpeg("-i", film, "-vn", "-f", "f32le", "-").slice();
  const all = new Float32Array(bytes.buffer, 0, bytes.byteLength / 4);
  const samples = all.length / channels;
  return Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: samples }, (_, i) => all[i * channels + c] as number),
  );
}

describe.skipIf(!haveFfmpeg)("the sound of a film", () => {
  test("is there to the last sample of all six channels, and as ffmpeg has it", async () => {
    // Room for all of it: the reader may be as late as it likes.
    await rig.play({ url: bigBuckBunny, width: 64, height: 36, slots: 256 }, "film.audio");
    const heard = await blocks();
    const mine = joined(heard);
    const theirs = truth(bigBuckBunny, 6);
    expect(mine.map((row) => row.length)).toEqual(Array(6).fill(254_976));
    for (const [c, row] of mine.entries()) {
      expect(largestDifference(row, theirs[c] as Float32Array)).toBeLessThan(1e-4);
    }
    for (const [i, block] of heard.entries()) {
      expect(block.shape).toEqual([6, 1024]);
      expect(block.deviceTime).toBe(BigInt(i) * 1024n);
      // A block is there when its last sample is.
      expect(block.publishTimeNs - block.captureTimeNs).toBeGreaterThanOrEqual(21_333_000n);
    }
  });

  test("of another format ends with a shorter block; nothing is cut off or filled up", async () => {
    const pcm = ["-c:v", "libx264", "-c:a", "pcm_s16le", "-ac", "2", "-ar", "16000"];
    const film = makeFilm(films.path("pcm.mkv"), 0.5, ...pcm);
    const theirs = truth(film, 2);
    await rig.play({ url: film }, "film.audio");
    const heard = await blocks();
    const samples = theirs[0]?.length as number;
    expect(heard.at(-1)?.shape).toEqual([2, samples % 1024]);
    for (const [c, row] of joined(heard).entries()) {
      expect(largestDifference(row, theirs[c] as Float32Array)).toBe(0);
    }
  });

  test("stays in step with the pictures, round after round", async () => {
    const film = makeFilm(
      films.path("step.mp4"),
      0.8,
      "-c:v",
      "libx264",
      "-c:a",
      "aac",
      "-ac",
      "1",
    );
    await rig.start({ url: film, loop: true, slots: 64 });
    const reader = await rig.reader();
    const pictures: { zeroNs: bigint; epoch: number }[] = [];
    const hearing = blocks(90);
    let ended = false;
    void hearing.finally(() => {
      ended = true;
    });
    while (!ended) {
      const frame = await reader.next({ timeoutMs: 100 });
      if (frame) pictures.push({ ...startOf(frame, 12_800n), epoch: frame.clockEpoch });
    }
    const heard = await hearing;
    for (const block of heard) {
      const { zeroNs } = startOf(block, 48_000n);
      // A film that is held because its sensor was late has two zeros in this round.
      const apart = pictures
        .filter(({ epoch }) => epoch === block.clockEpoch)
        .map((picture) => Math.abs(Number(zeroNs - picture.zeroNs)));
      if (apart.length > 0) expect(Math.min(...apart)).toBeLessThan(50_000);
    }
    expect(new Set(pictures.map(({ epoch }) => epoch)).size).toBeGreaterThan(1);
  });

  test("is left out where it is not wanted, and where there is none", async () => {
    await rig.start({ url: bigBuckBunny, audio: false });
    await (await rig.reader()).next({ timeoutMs: 5000 });
    expect(rig.status.streams).toEqual(["film"]);
  });
});

/** Where the film's time zero lies on our clock, as a frame of a track tells. */
function startOf(
  { deviceTime, captureTimeNs }: { deviceTime: bigint | null; captureTimeNs: bigint | null },
  ticksPerSecond: bigint,
) {
  const mediaNs = ((deviceTime as bigint) * 1_000_000_000n) / ticksPerSecond;
  return { zeroNs: (captureTimeNs as bigint) - mediaNs };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}
