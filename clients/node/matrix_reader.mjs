// node matrix_reader.mjs PREFIX STREAM BYTES reads in a hot loop, checks every word of each frame that it is handed, and prints
// "waiting" before it opens the stream and {"delivered":N,"rejected":N,"wrong":N,"missed":N} when that has ended.
import fs, { existsSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { open } from "./streamem.mjs";

const [prefix, name, size] = process.argv.slice(2);
const bytes = Number(size);
const slowBytes = 4096; // frames up to this size are also read from the end of the ring, where they are overwritten
const golden = 0x9e3779b97f4a7c15n;
const goldenLow = Number(golden & 0xffffffffn);
const goldenHigh = Number(golden >> 32n);
let delivered = 0;
let wrong = 0;

/** Word i of frame s is (s + i) times golden: it grows by golden from one to the next. In halves, since BigInt would take a second. */
function take(frame) {
  const got = new Uint32Array(frame.data.buffer, frame.data.byteOffset, frame.data.length >> 2);
  const first = BigInt.asUintN(64, frame.seq * golden);
  let low = Number(first & 0xffffffffn);
  let high = Number(first >> 32n);
  let right = frame.data.length === bytes;
  for (let i = 0; right && i < got.length; i += 2) {
    right = got[i] === low && got[i + 1] === high;
    low = (low + goldenLow) >>> 0;
    high = (high + goldenHigh + (low < goldenLow ? 1 : 0)) >>> 0;
  }
  if (right) delivered++;
  else wrong++;
}

const { readSync } = fs;
const nobody = new Int32Array(new SharedArrayBuffer(4));
const pauseMs = 0.2;
let pauses = false;

/** The client reads a frame whole: in a pause before its payload, after its header, the writer comes for it. */
fs.readSync = (fd, target, offset, length, position) => {
  if (pauses && length === bytes) {
    pauses = false;
    Atomics.wait(nobody, 0, 0, pauseMs);
  }
  return readSync(fd, target, offset, length, position);
};
syncBuiltinESMExports();

console.log("waiting");
const reader = await open(name, { prefix, timeoutMs: 30_000 });
for (;;) {
  const frame = await reader.next({ timeoutMs: 20 });
  if (frame) {
    take(frame);
    if (bytes > slowBytes) continue;
    pauses = true; // once, for the oldest
    reader.last(reader.slotCount - 1).forEach(take);
  } else if (reader.state === "retired" && !existsSync(`/dev/shm/${prefix}.${name}`)) break;
}
const { overwritten: rejected, missed } = reader;
console.log(JSON.stringify({ delivered, rejected, wrong, missed: Number(missed) }));
reader.close();
