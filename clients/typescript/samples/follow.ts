/** Takes each frame and prints shape, rate and missed frames once a second: `follow.ts NAME [COUNT]`. */
import { openReader } from "../../../src/ring.ts";

const [name = "", count = "0"] = process.argv.slice(2);
using reader = await openReader(name, { timeoutMs: 5000 });
let [start, frames, missed, taken] = [performance.now(), 0, 0n, 0];
for await (const frame of reader) {
  taken++;
  frames++;
  missed += frame.missed;
  const seconds = (performance.now() - start) / 1000;
  if (seconds >= 1 || taken === Number(count)) {
    const rate = (frames / seconds).toFixed(1);
    console.log(`shape ${frame.shape.join("x")} rate ${rate} missed ${missed}`);
    [start, frames, missed] = [performance.now(), 0, 0n];
  }
  if (taken === Number(count)) break;
}
