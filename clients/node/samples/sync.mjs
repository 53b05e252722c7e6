// node sync.mjs NAME NAME [COUNT] lines two streams up in time and prints which of their frames belong together.
import { sync } from "../streamem.mjs";

const [a, b, limit = "Infinity"] = process.argv.slice(2);
if (!a || !b || !(Number(limit) > 0)) throw new Error("usage: sync.mjs NAME NAME [COUNT]");
const sets = await sync([a, b], { toleranceNs: 20_000_000n, timeoutMs: 10_000 });
let left = Number(limit);
for await (const { timeNs, frames, missing } of sets) {
  const words = [a, b].map((name) => `${name} ${frames[name]?.seq ?? missing[name]}`);
  console.log(`time_ns ${timeNs} ${words.join(" ")}`);
  if (--left === 0) break;
}
sets.close();
