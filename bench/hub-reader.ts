/** hub-reader.c in TypeScript: one event loop follows all. argv: names of streams. */
import { monotonicNs } from "../src/ring/ffi.ts";
import { openReader } from "../src/ring.ts";
import type { Series } from "./bench.ts";

interface Followed {
  latency: number[];
  received: number;
  missed: number;
}

const names = process.argv.slice(2);
const fresh = (): Followed => ({ latency: [], received: 0, missed: 0 });
const found = new Map(names.map((name) => [name, fresh()]));
let taken = 0;

async function follow(name: string): Promise<void> {
  const reader = await openReader(name, { timeoutMs: 10_000 });
  for await (const frame of reader) {
    taken += frame.data[0] as number;
    const mine = found.get(name) as Followed;
    mine.latency.push(Number(monotonicNs() - frame.publishTimeNs));
    mine.received++;
    mine.missed += Number(frame.missed);
  }
}

for (const name of names) void follow(name);
console.log(JSON.stringify({ ready: true }));
for await (const _ of console) {
  const series = names.flatMap((name): Series[] => {
    const { latency, received, missed } = found.get(name) as Followed;
    found.set(name, fresh());
    return Object.entries({ latency, received: [received], missed: [missed] }).map(
      ([condition, samples]) => ({ case: name, contender: "TypeScript", condition, samples }),
    );
  });
  console.log(JSON.stringify({ series }));
}
process.exit(Number.isNaN(taken) ? 1 : 0);
