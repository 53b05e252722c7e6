/** Lines two streams up in time and prints which frames belong together: `sync.ts NAME NAME [COUNT]`. */
import { sync } from "../../../src/ring.ts";

const [one = "", other = "", count = "0"] = process.argv.slice(2);
const names = [one, other];
using sets = await sync(names, { toleranceNs: 20_000_000n, timeoutMs: 5000 });
let taken = 0;
for await (const { timeNs, frames, missing } of sets) {
  const members = names.map((name) => `${name} ${frames[name]?.seq ?? missing[name]}`);
  console.log(`time_ns ${timeNs} ${members.join(" ")}`);
  if (++taken === Number(count)) break;
}
