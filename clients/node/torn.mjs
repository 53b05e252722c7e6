// node torn.mjs STREAM COUNT hunts for torn frames by every verb until COUNT frames were handed out and COUNT were overwritten in its hands,
// and prints {"delivered":N,"rejected":N,"torn":N}. The writer is ../go/programs/matrix_writer or any like it, on few slots.
import { open } from "./streamem.mjs";

const [name, count] = process.argv.slice(2);
const enough = Number(count);
const golden = 0x9e3779b97f4a7c15n;
const reader = await open(name, { timeoutMs: 30_000 });
let delivered = 0;
let torn = 0;

function take(frame) {
  if (!frame) return;
  delivered++;
  const bytes = frame.descriptor.shape[0];
  const whole = frame.array.length === bytes && frame.captureTimeNs === null;
  const words = new BigUint64Array(frame.data.buffer, frame.data.byteOffset, bytes / 8);
  const holds = (word, i) => word === BigInt.asUintN(64, (frame.seq + BigInt(i)) * golden);
  if (!whole || !words.every(holds)) torn++;
}

while (delivered < enough || reader.overwritten < enough) {
  take(reader.latest());
  take(await reader.next({ timeoutMs: 30_000 }));
  take(await reader.newest({ timeoutMs: 30_000 }));
  reader.last(reader.slotCount - 1).forEach(take);
  if (delivered % 50 === 0) {
    const stack = reader.stack(2);
    const bytes = stack?.shape?.[1] ?? 0;
    stack?.sequences.forEach((seq, i) => {
      const first = Buffer.from(stack.data).readBigUInt64LE(i * bytes);
      if (first !== BigInt.asUintN(64, seq * golden)) torn++;
    });
  }
}
console.log(JSON.stringify({ delivered, rejected: reader.overwritten, torn }));
reader.close();
