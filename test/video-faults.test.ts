/** What can be wrong with a source: a state and words for its user, never a crash. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { SensorError } from "../sensors/sensor.ts";
import { loadFfmpeg } from "../sensors/video/ffmpeg.ts";
import { video } from "../sensors/video.ts";
import {
  bigBuckBunny,
  ffmpeg,
  filmFolder,
  haveFfmpeg,
  makeFilm,
  md5OfPictures,
  TestContext,
  VideoRig,
} from "./video-rig.ts";

const rig = new VideoRig("faults");
const films = filmFolder();
afterEach(() => rig.close());
afterAll(() => films.remove());

/** The first part of a file, under another name. */
function cut(file: string, name: string, share = 0.5): string {
  const whole = readFileSync(file);
  const path = films.path(name);
  writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)));
  return path;
}

async function failure(url: string): Promise<string> {
  await rig.start({ url });
  const status = await rig.until(({ state }) => state === "failed");
  expect(status.restarts).toBe(0);
  return status.lastError?.words as string;
}

describe("a file", () => {
  test("that is not there", async () => {
    expect(await failure("/nowhere/film.mp4")).toBe("/nowhere/film.mp4 does not exist");
  });

  test("that is a folder", async () => {
    expect(await failure(films.path(""))).toContain("is a folder, not a file");
  });

  test("that is no video", async () => {
    expect(await failure(import.meta.path)).toContain("is no video that FFmpeg knows");
  });

  test("whose index stood at the end that was cut off", async () => {
    expect(await failure(cut(bigBuckBunny, "no-index.mp4"))).toContain(
      "is cut, or still being written: the index at its end is missing",
    );
  });

  test.skipIf(!haveFfmpeg)("with sound alone", async () => {
    const path = films.path("sound.m4a");
    ffmpeg("-i", bigBuckBunny, "-vn", "-t", "0.5", path);
    expect(await failure(path)).toContain("has no picture track");
  });

  test.skipIf(!haveFfmpeg)("cut in the middle is played up to there, then it says so", async () => {
    const whole = makeFilm(films.path("whole.mkv"), 1, "-c:v", "libx264", "-bf", "0", "-an");
    const path = cut(whole, "cut.mkv", 0.8);
    await rig.play({ url: path });
    const taken: string[] = [];
    for await (const frame of rig.frames()) taken.push(frame.md5);
    const truth = md5OfPictures(whole);
    expect(taken.length).toBeGreaterThan(5);
    expect(taken.length).toBeLessThan(truth.length);
    expect(taken).toEqual(truth.slice(0, taken.length));
    const { lastError } = await rig.until(({ state }) => state === "failed");
    expect(lastError?.words).toContain(
      `is cut: it ends in the middle, after ${taken.length} pictures`,
    );
  });

  test.skipIf(!haveFfmpeg)("cut in the middle loops as far as it goes, and says so", async () => {
    const whole = makeFilm(films.path("loop.mkv"), 0.6, "-c:v", "libx264", "-bf", "0", "-an");
    await rig.start({ url: cut(whole, "cut-loop.mkv", 0.8), loop: true });
    const reader = await rig.reader();
    await rig.until(({ words }) => words?.includes("is cut: it ends in the middle") ?? false);
    for (let epoch = 0; epoch < 2; )
      epoch = (await reader.next({ timeoutMs: 5000 }))?.clockEpoch ?? 0;
    expect(rig.status.state).toBe("running");
  });

  test.skipIf(!haveFfmpeg)(
    "damaged in the middle shows no damaged picture, and goes on at a key frame",
    async () => {
      const whole = makeFilm(
        films.path("good.mkv"),
        2,
        "-c:v",
        "libx264",
        "-g",
        "10",
        "-bf",
        "0",
        "-an",
      );
      const truth = new Set(md5OfPictures(whole));
      const bytes = readFileSync(whole);
      const middle = Math.floor(bytes.length / 2);
      bytes.fill(0, middle, middle + 600);
      writeFileSync(films.path("bad.mkv"), bytes);
      await rig.play({ url: films.path("bad.mkv") });
      let taken = 0;
      for await (const frame of rig.frames()) {
        expect(truth.has(frame.md5)).toBe(true);
        taken += 1;
      }
      expect(taken).toBeGreaterThan(20);
      expect(taken).toBeLessThan(50);
    },
  );
});

describe("an address", () => {
  const refused = (url: string) => video.config.safeParse({ kind: "video", name: "film", url });

  test("of another kind is refused before anything runs, with what is allowed", () => {
    for (const url of ["", "http://camera/", "udp://:5000", "rtsp://"]) {
      expect(refused(url).error?.issues[0]?.message).toBe(
        "must be rtsp://…, a file or /dev/video0",
      );
    }
    expect(refused("film.mp4").success).toBe(true);
    expect(refused("file:///tmp/film.mp4").success).toBe(true);
  });

  test("keys that are not known are refused", () => {
    const config = { kind: "video", name: "film", url: "a.mp4", speed: 2 };
    expect(video.config.safeParse(config).error?.issues[0]?.code).toBe("unrecognized_keys");
  });

  test("its password stands in no plan", () => {
    const url = "rtsp://user:secret@127.0.0.1:1/x";
    const config = video.config.parse({ kind: "video", name: "film", url });
    expect(JSON.stringify(video.streams(config))).not.toContain("secret");
  });
});

describe("a device", () => {
  test("that is not there is waited for, in words", async () => {
    await rig.start({ url: "/dev/video63" });
    const { words } = await rig.until(({ words }) => words?.includes("is not there") ?? false);
    expect(words).toStartWith("/dev/video63 is not there: is the camera plugged in?");
    expect(rig.status).toMatchObject({ state: "connecting", restarts: 0 });
  });
});

describe("a server", () => {
  test("that refuses is tried again, in words without the password", async () => {
    await rig.start({ url: "rtsp://user:secret@127.0.0.1:1/film" });
    await rig.until(({ words }) => words?.includes("refuses the connection") ?? false);
    // Of all that it said: these words stand for a second.
    await rig.until(() => rig.statuses.some(({ words }) => words?.includes("every 1 s")));
    expect(rig.status).toMatchObject({ state: "connecting", restarts: 0 });
    expect(JSON.stringify(rig.statuses)).not.toContain("secret");
  });

  test("that accepts and says nothing does not hold up the end of the sensor", async () => {
    const accepted = Promise.withResolvers<void>();
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: () => accepted.resolve(), data() {} },
    });
    const context = new TestContext(rig.prefix, rig.directory);
    const url = `rtsp://127.0.0.1:${server.port}/film`;
    const running = video.run(video.config.parse({ kind: "video", name: "film", url }), context);
    await accepted.promise;
    const beforeMs = performance.now();
    context.stop.abort();
    await running;
    // By itself FFmpeg would wait for five seconds.
    expect(performance.now() - beforeMs).toBeLessThan(4000);
    server.stop(true);
  });
});

test("without node-av the words say what to install, and nobody tries again", async () => {
  const missing = loadFfmpeg(() => Promise.reject(new Error("Cannot find package 'node-av'")));
  const error = await missing.catch((error) => error);
  expect(error).toBeInstanceOf(SensorError);
  expect(error.retry).toBe(false);
  expect(error.message).toContain("needs the optional package node-av");
  expect(error.message).toContain("bun install");
});
