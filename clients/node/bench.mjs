// node bench.mjs NAME… prints what it takes to read the newest frame of each stream, beside a bare copy of as many bytes, and what waiting
// costs: the figures of README.md.
import { open } from "./streamem.mjs";

const runMs = 1000;

/** Median of the times of work, in microseconds. */
function medianUs(work) {
  const times = [];
  for (const end = performance.now() + runMs; performance.now() < end; ) {
    const start = process.hrtime.bigint();
    work();
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1].toFixed(1);
}

for (const name of process.argv.slice(2)) {
  const reader = await open(name, { timeoutMs: 5000 });
  const { length } = (await reader.next()).data;
  const from = new Uint8Array(length).fill(1);
  const into = new Uint8Array(length).fill(2);
  console.log(`${name}: ${length} bytes`);
  console.log(`  latest(), an owned copy  ${medianUs(() => reader.latest())} us`);
  console.log(`  a bare copy              ${medianUs(() => into.set(from))} us`);
  console.log(
    `  a copy into new memory   ${medianUs(() => Uint8Array.prototype.slice.call(from))} us`,
  );
  console.log(`  state                    ${medianUs(() => reader.state)} us`);
  const before = process.cpuUsage();
  const start = performance.now();
  while (performance.now() - start < 3 * runMs) await reader.next({ timeoutMs: 100 });
  const { user, system } = process.cpuUsage(before);
  const share = ((user + system) / 10 / (performance.now() - start)).toFixed(1);
  console.log(`  next() in a loop         ${share} % of a core`);
  reader.close();
}
