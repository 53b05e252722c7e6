/** A film through the sensor and its ring, held to what Debian's ffmpeg decodes. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import {
  bigBuckBunny,
  ffmpeg,
  filmFolder,
  haveFfmpeg,
  makeFilm,
  md5OfPictures,
  type TakenFrame,
  VideoRig,
} from "./video-rig.ts";

const rig = new VideoRig("film");
const films = filmFolder();
afterEach(() => rig.close());
afterAll(() => films.remove());

const pictureNs = 40_000_000n;
const lateMaxNs = 200_000_000n;

/** One picture after the other; or the film was held, which is for a picture that is really so late (film-time.ts). */
function expectInStep(before: TakenFrame, { captureTimeNs, publishTimeNs }: TakenFrame): void {
  const dueNs = (before.captureTimeNs as bigint) + pictureNs;
  if (captureTimeNs === dueNs) return;
  expect((captureTimeNs as bigint) - dueNs).toBeGreaterThan(lateMaxNs);
  expect(publishTimeNs).toBeGreaterThanOrEqual(captureTimeNs as bigint);
}

/** Frames up to the ring's end, or `count` of them. The sensor is started first. */
async function frames(count = Number.POSITIVE_INFINITY): Promise<TakenFrame[]> {
  const taken: TakenFrame[] = [];
  for await (const frame of rig.frames()) {
    taken.push(frame);
    if (taken.length === count) break;
  }
  return taken;
}

describe.skipIf(!haveFfmpeg)("a film", () => {
  test("loops at its rate: no picture missed, none late to its clock, every pixel as ffmpeg has it", async () => {
    const truth = md5OfPictures(bigBuckBunny);
    expect(truth.length).toBe(132);
    // Room for a reader, which sums each picture beside other tests, to be seconds late.
    await rig.play({ url: bigBuckBunny, loop: true, slots: 60 });
    const taken = await frames(200);
    const first = taken[0] as TakenFrame;
    for (const [i, frame] of taken.entries()) {
      const number = Number(frame.seq) - 1;
      expect(frame.missed).toBe(0n);
      expect(frame.md5).toBe(truth[number % 132] as string);
      // The film's ticks begin again with each round, our clock goes on without a gap.
      expect(frame.deviceTime).toBe(512n * BigInt(number % 132));
      expect(frame.clockEpoch).toBe(Math.floor(number / 132));
      if (i > 0) expectInStep(taken[i - 1] as TakenFrame, frame);
      expect(frame.publishTimeNs).toBeGreaterThanOrEqual(frame.captureTimeNs as bigint);
      expect(frame.timeErrorNs).toBe(0n);
    }
    expect(first.shape).toEqual([720, 1280, 3]);
    expect(rig.status).toMatchObject({ state: "running", lastError: null, restarts: 0 });
  });

  test("played once ends, with the last picture still to be read", async () => {
    const film = makeFilm(films.path("once.mp4"), 1, "-c:v", "libx264", "-bf", "2", "-an");
    const truth = md5OfPictures(film);
    await rig.play({ url: film });
    expect((await frames()).map((frame) => frame.md5)).toEqual(truth);
    await rig.until(({ state }) => state === "ended");
    expect(rig.status).toMatchObject({ lastError: null, restarts: 0 });
  });

  test("decoded by several threads is the same", async () => {
    const film = makeFilm(films.path("threads.mp4"), 1, "-c:v", "libx264", "-bf", "2", "-an");
    await rig.play({ url: film, threads: 4 });
    expect((await frames()).map((frame) => frame.md5)).toEqual(md5OfPictures(film));
  });

  test("tells what each picture is", async () => {
    const film = makeFilm(
      films.path("types.mp4"),
      0.4,
      "-c:v",
      "libx264",
      "-g",
      "5",
      "-bf",
      "0",
      "-an",
    );
    await rig.play({ url: film });
    const taken = await frames();
    expect(taken.map(({ fields }) => fields.key_frame)).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const letters = taken.map(({ fields }) => String.fromCharCode(fields.picture_type as number));
    expect(letters.join("")).toBe("IPPPPIPPPP");
    expect(taken.map(({ fields }) => fields.pts)).toEqual(taken.map((_, i) => BigInt(i) * 512n));
  });

  for (const [pixelFormat, shape] of [
    ["rgb24", [90, 160, 3]],
    ["gray", [90, 160]],
    ["nv12", [135, 160]],
  ] as const) {
    test(`as ${pixelFormat}`, async () => {
      const film = makeFilm(films.path(`${pixelFormat}.mp4`), 0.4, "-c:v", "libx264", "-an");
      await rig.play({ url: film, pixelFormat });
      const taken = await frames();
      expect(taken[0]?.shape).toEqual([...shape]);
      expect(taken.map((frame) => frame.md5)).toEqual(md5OfPictures(film, pixelFormat));
    });
  }

  // FFmpeg's fast conversion leaves the last columns of such widths black when rows are packed.
  for (const width of [162, 166, 170, 174]) {
    test(`${width} pixels wide, which is no multiple of 8`, async () => {
      const film = makeFilm(films.path(`${width}.mp4`), 0.4, "-vf", `scale=${width}:90`, "-an");
      await rig.play({ url: film });
      expect((await frames()).map((frame) => frame.md5)).toEqual(md5OfPictures(film));
    });
  }

  test("of another colour space is not taken for the usual one", async () => {
    const bt709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
    const film = makeFilm(films.path("709.mp4"), 0.4, "-c:v", "libx264", ...bt709, "-an");
    await rig.play({ url: film });
    const taken = (await frames()).map((frame) => frame.md5);
    expect(taken).toEqual(md5OfPictures(film));
    expect(taken).not.toEqual(md5OfPictures(film, "bgr24", "setparams=colorspace=smpte170m"));
  });

  test("is scaled to the size asked for; one side keeps the proportions", async () => {
    const film = makeFilm(films.path("scaled.mp4"), 0.4, "-c:v", "libx264", "-an");
    await rig.play({ url: film, width: 80 });
    const taken = await frames();
    const truth = ffmpeg(
      ...["-i", film, "-vf", "scale=80:46", "-pix_fmt", "bgr24", "-f", "rawvideo", "-"],
    );
    expect(taken[0]?.shape).toEqual([46, 80, 3]); // 45 would be odd
    const bytes = Buffer.concat(taken.map((frame) => frame.bytes));
    expect(bytes.length).toBe(truth.length);
    // Two versions of FFmpeg round differently.
    const apart = bytes.reduce((sum, value, i) => sum + Math.abs(value - (truth[i] as number)), 0);
    expect(apart / bytes.length).toBeLessThan(1.5);
  });

  test("of two sizes and two times is two generations in one stream", async () => {
    const codec = ["-c:v", "libx264", "-bf", "0", "-an"];
    const small = makeFilm(films.path("a.ts"), 0.4, ...codec);
    const large = makeFilm(films.path("b.ts"), 0.4, "-vf", "scale=320:180", ...codec);
    writeFileSync(films.path("list"), `file ${small}\nfile ${large}\n`);
    const both = films.path("both.ts");
    const jump = "setts=ts=TS+gte(N\\,10)*90000*1000";
    const copy = ["-c", "copy", "-bsf:v", jump, "-muxdelay", "0", "-muxpreload", "0"];
    ffmpeg("-f", "concat", "-safe", "0", "-i", films.path("list"), ...copy, both);
    await rig.play({ url: both });
    const taken = await frames();
    const truth = [...md5OfPictures(small), ...md5OfPictures(large)];
    expect(taken.map((frame) => frame.md5)).toEqual(truth);
    expect(new Set(taken.map((frame) => frame.generation)).size).toBe(2);
    const heights = [...Array(10).fill(90), ...Array(10).fill(180)];
    expect(taken.map((frame) => frame.shape[0])).toEqual(heights);
    // A thousand seconds of nothing are left out, and the clock's jump is told.
    for (const [i, frame] of taken.slice(1).entries()) expectInStep(taken[i] as TakenFrame, frame);
    expect(taken.map((frame) => frame.clockEpoch)).toEqual([
      ...Array(10).fill(0),
      ...Array(10).fill(1),
    ]);
  });

  test("that is a bare stream without times is played at 25/s, and wound back by opening it again", async () => {
    const film = makeFilm(films.path("bare.h264"), 0.4, "-c:v", "libx264", "-bf", "0", "-an");
    const truth = md5OfPictures(film);
    await rig.play({ url: film, loop: true });
    const taken = await frames(25);
    for (const frame of taken)
      expect(frame.md5).toBe(truth[(Number(frame.seq) - 1) % 10] as string);
  });
});
