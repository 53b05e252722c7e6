/**
 * `bun page-pictures.ts COUNT`: so many streams of 1280 x 720 at 30 frames/s, a real film's pictures, decoded
 * before and only copied then: what is measured is the way to the screen. Prints a line when all of them run.
 */
import { join } from "node:path";
import { monotonicNs } from "../src/ring/ffi.ts";
import { createWriter } from "../src/ring.ts";

const [count = "8"] = process.argv.slice(2);
const [width, height, rate] = [1280, 720, 30];
const frameBytes = width * height * 3;
/** A second of film, again and again. */
const kept = 30;

const film = join(import.meta.dir, "../test/data/bbb-720p.mp4");
const decoding = ["-v", "error", "-i", film, "-r", String(rate), "-frames:v", String(kept)];
const raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-"];
const decoded = Bun.spawnSync(["ffmpeg", ...decoding, ...raw], {
  maxBuffer: 2 * kept * frameBytes,
});
if (!decoded.success) throw new Error(`ffmpeg: ${decoded.stderr.toString().slice(-300)}`);
const pictures = Array.from({ length: kept }, (_, at) =>
  decoded.stdout.subarray(at * frameBytes, (at + 1) * frameBytes),
);

const writers = Array.from({ length: Number(count) }, (_, at) =>
  createWriter(`camera-${at + 1}`, {
    kind: "video",
    dtype: "|u1",
    shape: [height, width, 3],
    dims: ["height", "width", "channel"],
    pixelFormat: "bgr24",
    rate,
  }),
);

/** Cameras are not in step: each has its own moment in a period. */
const periodMs = 1000 / rate;
const startMs = performance.now();
for (const [index, writer] of writers.entries()) {
  const firstMs = startMs + (index * periodMs) / writers.length;
  const turn = (tick: number) => {
    const captureTimeNs = monotonicNs();
    writer.publish(pictures[tick % kept] as Uint8Array, { captureTimeNs });
    const due = firstMs + (tick + 1) * periodMs - performance.now();
    // What could not be published in time is left out, as a camera does.
    const next = due < -periodMs ? tick + 1 + Math.ceil(-due / periodMs) : tick + 1;
    setTimeout(turn, Math.max(0, firstMs + next * periodMs - performance.now()), next);
  };
  turn(0);
}
console.log("ready");
