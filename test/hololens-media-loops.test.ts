/**
 * What the simulator has coded once is sent again; a slow first round and the end of a connection in
 * mid-picture do no harm.
 *
 * To see it fail: in loop-reader.ts, `collect`, go on where a unit is missing; in rendered-loop.ts never
 * answer null.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { createUnitStore } from "../sensors/hololens/simulator/media/coded-units.ts";
import { type GreyStream, greyPicture } from "../sensors/hololens/simulator/media/grey-picture.ts";
import { createLoopReader } from "../sensors/hololens/simulator/media/loop-reader.ts";
import { openVideoSource } from "../sensors/hololens/simulator/media/video-source.ts";
import { openVlcSource } from "../sensors/hololens/simulator/media/vlc-source.ts";
import { optionKeys, videoProfiles } from "../sensors/hololens/wire/codes.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { decodePictures, psnr } from "./decoded-pictures.ts";
import { until } from "./rings.ts";

const videoFile = join(import.meta.dir, "data/bbb-720p.mp4");
const nothing = {
  videoFile: "",
  camera: { focus: 0, exposureTime: 0n, isoSpeed: 0, whiteBalance: 0 },
};
const gop = (size: bigint) => [{ key: optionKeys.gopSize, value: size }];

function grey(stream: GreyStream, seconds: number): Uint8Array {
  const picture = new Uint8Array(640 * 480);
  greyPicture(stream, seconds, picture);
  return picture;
}

function vlc(stream: GreyStream, profile: number, given: object = {}) {
  const configuration = configurationOf("vlc", { profile, options: gop(6n), ...given });
  return openVlcSource({ stream, configuration, ...nothing });
}

test("where pictures come late few are shown until the round is made, then all", async () => {
  const profile = videoProfiles["h265-main"];
  const source = await vlc("vlc-leftleft", profile, { divisor: 2, options: gop(15n) });
  const shown = async (number: number) => {
    const seconds = number / 15;
    return source.payload({ index: number, ticks: 0n, seconds });
  };
  const late = [];
  for (let number = 0; number < 40; number += 2) late.push(await shown(number));
  const missing = [];
  for (let number = 40; number < 50; number++) missing.push((await shown(number)) === null);
  expect(late[0]).not.toBeNull();
  expect(missing).toContain(true);
  expect(missing).toContain(false);

  let round: (Uint8Array | null)[] = [];
  await until(async () => {
    round = [];
    for (let number = 60; number < 120; number++) round.push(await shown(number));
    return !round.includes(null);
  });
  source.close();
  const images = round.map((payload) => (payload as Uint8Array).subarray(0, -24));
  const pictures = await decodePictures("h265", images);
  for (const [i, { planes }] of pictures.entries()) {
    expect(psnr(planes[0], grey("vlc-leftleft", i / 15))).toBeGreaterThan(28);
  }
});

test("a connection may end while a picture is made", async () => {
  const pv = configurationOf("pv", { width: 424, height: 240 });
  const sources = [
    await vlc("vlc-leftfront", videoProfiles["h264-high"], { bitrate: 400_000 }),
    await vlc("vlc-leftfront", videoProfiles.raw),
    await openVideoSource({ stream: "pv", configuration: pv, ...nothing, videoFile }),
  ];
  const payloads = sources.map(async (source) => {
    const payload = source.payload({ index: 0, ticks: 0n, seconds: 0 });
    source.close();
    return payload;
  });
  const ends = await Promise.allSettled(payloads);
  for (const end of ends) {
    if (end.status === "rejected") expect(String(end.reason)).toContain("the stream has ended");
  }
});

test("units are kept in whole groups only, and no more than there is room for", async () => {
  const store = createUnitStore(100);
  const coded: string[] = [];
  const read = (key: string) =>
    createLoopReader({
      units: store.of(key),
      pictures: 6,
      groupSize: 3,
      async encode(index, keyFrame) {
        coded.push(`${key}${index}${keyFrame ? "!" : ""}`);
        return new Uint8Array(15);
      },
    });
  const run = async (key: string, ...indices: number[]) => {
    const reader = read(key);
    coded.length = 0;
    for (const index of indices) await reader.unit(index);
    return coded.join(" ");
  };
  expect(await run("a", 1, 2, 3, 4)).toBe("a1! a2 a3! a4");
  expect(store.bytes).toBe(0);
  expect(await run("a", 3, 5, 0, 1, 2, 3)).toBe("a3! a5 a0! a1 a2 a3!");
  expect(store.bytes).toBe(45);
  expect(await run("a", 0, 1, 2, 3)).toBe("a3!"); // from memory as far as it goes
  expect(await run("a", 0, 2, 3, 4, 5, 0)).toBe("a2! a3! a4 a5");
  expect(store.bytes).toBe(90);
  expect(await run("b", 0, 1, 2)).toBe("b0! b1 b2"); // there is room only without the oldest
  expect(store.bytes).toBe(45);
  expect(await run("a", 0)).toBe("a0!");
});
