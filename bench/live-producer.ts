/** Publishes pictures from a file, over and over, as several streams of 720p30: the cameras of a wall without their cost. */
import { createWriter } from "../src/ring.ts";

const [path = "", count = "8"] = process.argv.slice(2);
const shape = [720, 1280, 3];
const bytes = 720 * 1280 * 3;
const rate = 30;

const film = await Bun.file(path).bytes();
const pictures = Array.from({ length: Math.floor(film.length / bytes) }, (_, i) =>
  film.subarray(i * bytes, (i + 1) * bytes),
);
const writers = Array.from({ length: Number(count) }, (_, i) =>
  createWriter(`tile-${i + 1}`, { kind: "video", dtype: "|u1", shape, pixelFormat: "bgr24", rate }),
);
process.on("SIGTERM", () => {
  for (const writer of writers) writer.close();
  process.exit(0);
});
console.log("ready");

/** Spread over the period, as cameras that know nothing of each other are. */
const slots = rate * writers.length;
const start = performance.now();
for (let n = 0; ; n++) {
  await Bun.sleep(Math.max(0, start + (n * 1000) / slots - performance.now()));
  const picture = pictures[Math.floor(n / writers.length) % pictures.length] as Uint8Array;
  writers[n % writers.length]?.publish(picture);
}
