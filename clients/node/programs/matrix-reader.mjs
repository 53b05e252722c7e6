// node matrix-reader.mjs PREFIX STREAM BYTES reads in a hot loop, checks every word of each frame that it is handed, and prints
// {"delivered":N,"rejected":N,"wrong":N,"missed":N} when the stream has ended.
import { existsSync } from "node:fs";
import { open } from "../streamem.mjs";

const [prefix, name, size] = process.argv.slice(2);
const bytes = Number(size);
const slowBytes = 4096; // frames up to this size are also read from the end of the ring, where they are overwritten
const golden = 0x9e3779b97f4a7c15n;
const count = bytes / 8;
let delivered = 0;
let wrong = 0;

/** Word i of frame s is (s + i) times golden: from one word to the next it grows by golden. */
function take(frame) {
  const got = new BigUint64Array(frame.data.buffer, frame.data.byteOffset, count);
  let right = frame.data.length === bytes;
  let wanted = BigInt.asUintN(64, frame.seq * golden);
  for (let i = 0; right && i < got.length; i++) {
    right = got[i] === wanted;
    wanted = BigInt.asUintN(64, wanted + golden);
  }
  if (right) delivered++;
  else wrong++;
}

const reader = await open(name, { prefix, timeoutMs: 30_000 });
for (;;) {
  const frame = await reader.next({ timeoutMs: 20 });
  if (frame) {
    take(frame);
    if (bytes <= slowBytes) reader.last(reader.slotCount - 1).forEach(take);
  } else if (reader.state === "retired" && !existsSync(`/dev/shm/${prefix}.${name}`)) break;
}
const { overwritten: rejected, missed } = reader;
console.log(JSON.stringify({ delivered, rejected, wrong, missed: Number(missed) }));
reader.close();
