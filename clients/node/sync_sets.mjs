// node sync_sets.mjs PREFIX MODE TOLERANCE_NS DRIVER NAMES… prints the sets of a trace, a line of JSON each: see
// ../vectors/sync/README.md.
import { sync } from "./streamem.mjs";

const [prefix, mode, tolerance, driver, ...names] = process.argv.slice(2);
const toleranceNs = BigInt(tolerance);
const named = driver === "-" ? undefined : driver;
const sets = await sync(names, { prefix, mode, toleranceNs, driver: named, timeoutMs: 10_000 });

function member(frame) {
  const words = new Uint32Array(frame.array);
  const right =
    words.length === 16 &&
    words.every((word, i) => word === Number(BigInt.asUintN(32, frame.seq * 16n + BigInt(i))));
  if (!right || !frame.valid()) {
    console.error(`frame ${frame.seq}: wrong words: ${words}`);
    process.exit(1);
  }
  return { generation: frame.generation, sequence: String(frame.seq) };
}

for (let last = performance.now(); performance.now() - last < 1000; ) {
  const set = await sets.next({ timeoutMs: 100 });
  if (set) {
    const members = { ...set.missing };
    for (const [name, frame] of Object.entries(set.frames))
      if (frame) members[name] = member(frame);
    console.log(JSON.stringify({ time_ns: String(set.timeNs), driver: set.driver, members }));
  }
  const state = sets.state(sets.driver);
  if (set || (state !== "retired" && state !== "dead")) last = performance.now();
}
sets.close();
