/** latest() with valid(), and a checked copy into the caller's memory. Speaks the protocol of program.h. */
import { openReader } from "../../src/ring.ts";
import type { Series } from "../bench.ts";

const labels = ["64 B", "720p", "1080p"];
const readers = await Promise.all(
  labels.map(async (label) => {
    const reader = await openReader(`clients-${label.toLowerCase().replace(" ", "")}`);
    // One for all rounds: memory that is new costs its page faults, which the other languages do not pay either.
    const out = reader.latest()?.copy();
    if (!out) throw new Error(`no frame of ${label}`);
    return { label, reader, out };
  }),
);

function timed(kase: string, calls: number, call: () => unknown): Series {
  const start = performance.now();
  for (let i = 0; i < calls; i++) call();
  const samples = [((performance.now() - start) * 1e6) / calls];
  return { case: kase, contender: "TypeScript", condition: "hot", samples };
}

function oneRound(): Series[] {
  return readers.flatMap(({ label, reader, out }) => {
    const frame = reader.latest();
    if (!frame) throw new Error(`no frame of ${label}`);
    const calls = out.byteLength < 4096 ? 1000 : 5;
    return [
      timed(`latest(), ${label}`, 1000, () => reader.latest()?.valid()),
      timed(`a checked copy, ${label}`, calls, () => frame.copy(out)),
    ];
  });
}

console.log(JSON.stringify({ ready: true }));
for await (const _ of console) console.log(JSON.stringify({ series: oneRound() }));
