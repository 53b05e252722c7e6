// node follow.mjs NAME [COUNT] takes each frame in order and prints shape, rate and missed frames once a second, and at the end.
import { open } from "../streamem.mjs";

const [name, limit = "Infinity"] = process.argv.slice(2);
if (!name || !(Number(limit) > 0)) throw new Error("usage: follow.mjs NAME [COUNT]");
const reader = await open(name, { timeoutMs: 10_000 });
let count = Number(limit);
let shape = "-";
let taken = 0;
let missed = reader.missed;
let start = performance.now();

function line() {
  const rate = taken / ((performance.now() - start) / 1000);
  console.log(`shape ${shape} rate ${rate.toFixed(1)} missed ${reader.missed - missed}`);
  taken = 0;
  missed = reader.missed;
  start = performance.now();
}

while (count > 0) {
  const frame = await reader.next({ timeoutMs: Math.max(0, start + 1000 - performance.now()) });
  if (frame) {
    shape = frame.shape?.join("x") ?? "-";
    taken++;
    count--;
  }
  if (performance.now() - start >= 1000) line();
}
if (taken > 0) line();
reader.close();
