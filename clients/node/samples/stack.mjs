// node stack.mjs NAME N takes the newest N frames as one array.
import { open } from "../streamem.mjs";

const [name, count] = process.argv.slice(2);
const n = Number(count);
if (!name || !(n >= 1)) throw new Error("usage: stack.mjs NAME N");
const reader = await open(name, { timeoutMs: 10_000 });
let stack = reader.stack(n);
while (!stack || stack.sequences.length < n) {
  await reader.next(); // beyond slots - 1 it fills as frames come
  stack = reader.stack(n);
}
console.log(`stack ${stack.shape?.join("x")} sequences ${stack.sequences.join(" ")}`);
reader.close();
