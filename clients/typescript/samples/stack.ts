/** Prints the newest N frames as one array: `stack.ts NAME N`. */
import { openReader } from "../../../src/ring.ts";

const [name = "", count = "1"] = process.argv.slice(2);
const n = Number(count);
using reader = await openReader(name, { timeoutMs: 5000 });
let stack = reader.stack(n);
while (stack.sequences.length < n) {
  await reader.next(); // beyond what the ring holds it fills as frames are taken
  stack = reader.stack(n);
}
console.log(`stack ${stack.shape.join("x")} sequences ${stack.sequences.join(" ")}`);
