/** A picture of which not a bit changes for five seconds, which no camera gives. */
import { expect, test } from "bun:test";
import { createStillPicture } from "../sensors/ndi/receiving/still-picture.ts";

function watched() {
  const told: boolean[] = [];
  const { look } = createStillPicture((still) => told.push(still));
  return { told, look };
}

test("is told once, and taken back with the first bit that changes", () => {
  const { told, look } = watched();
  const picture = new Uint8Array(64 * 36 * 3).fill(90);
  for (let ms = 0; ms < 4967; ms += 33) look(picture, ms);
  expect(told).toEqual([]);
  for (let ms = 4967; ms < 9000; ms += 33) look(picture, ms);
  expect(told).toEqual([true]);
  picture[5000] = 91;
  for (let ms = 9000; ms < 11_000; ms += 33) look(picture, ms);
  expect(told).toEqual([true, false]);
});

test("noise in one pixel is life", () => {
  const { told, look } = watched();
  const picture = new Uint8Array(64 * 36 * 3);
  for (let ms = 0; ms < 20_000; ms += 33) {
    picture[77] = (ms * 7) % 251;
    look(picture, ms);
  }
  expect(told).toEqual([]);
});
