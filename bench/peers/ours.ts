/** Reads what ours.c writes, in Bun's event loop; the part of peer.h's read_for_ever in TypeScript. argv: control, name, bytes, number. */

import { monotonicNs } from "../../src/ring/ffi.ts";
import { openReader } from "../../src/ring.ts";

const [control, name, size, number] = process.argv.slice(2) as [string, string, string, string];
const bytes = Number(size);
const blockWords = 4096;
const samplesAt = 16;
const ownWords = 3n;
const paced = 1n;
const burst = 2n;
const golden = 0x9e3779b97f4a7c15n;
const word = (value: bigint) => BigInt.asUintN(64, value);

const block = new BigUint64Array(
  Bun.mmap(control, { shared: true }).buffer,
  blockWords * 8 * (Number(number) + 1),
  blockWords,
);

function mixed(sequence: bigint): bigint {
  let z = word(sequence * golden);
  z = word((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  return z ^ (z >> 31n);
}

function expected(sequence: bigint): bigint {
  const n = BigInt(bytes / 8);
  const places = (n * (n - 1n)) / 2n - (ownWords * (ownWords - 1n)) / 2n;
  return word(places * golden + (n - ownWords) * mixed(sequence));
}

/** Every word added up, by halves: numbers are exact up to 2^53, which 2^21 halves do not reach. */
function sum(view: Uint8Array): bigint {
  const halves = new Uint32Array(view.buffer, view.byteOffset, view.byteLength / 4);
  let total = 0n;
  for (let start = 0; start < halves.length; start += 2 ** 21) {
    const end = Math.min(start + 2 ** 21, halves.length);
    let low = 0;
    let high = 0;
    for (let i = start; i < end; i += 2) {
      low += halves[i] as number;
      high += halves[i + 1] as number;
    }
    total += BigInt(low) + (BigInt(high) << 32n);
  }
  return word(total);
}

const add = (at: number) => {
  block[at] = (block[at] as bigint) + 1n;
};

const reader = await openReader(name, { timeoutMs: 20_000 });
block[1] = BigInt(process.pid);
block[0] = 1n;
for (;;) {
  const asked = monotonicNs();
  const frame = await reader.newest();
  if (frame === null) continue;
  const inHand = monotonicNs();
  const view = frame.data;
  const total = sum(view);
  const summed = monotonicNs();
  const [sequence, sent, purpose] = new BigUint64Array(
    view.buffer,
    view.byteOffset,
    3,
  ) as unknown as [bigint, bigint, bigint];
  if (!frame.valid()) {
    add(6);
    continue;
  }
  if (word(total - sequence - sent - purpose) !== expected(sequence)) add(5);
  if (purpose === paced) {
    const at = samplesAt + 2 * Number(block[3]);
    block[at] = inHand - sent;
    block[at + 1] = summed - sent;
  }
  if (purpose === burst) block[8] = (block[8] as bigint) + inHand - asked;
  block[7] = summed;
  if (purpose <= burst) add(2 + Number(purpose));
}
