/** latest(), which is a checked copy in Node and so both. Speaks the protocol of program.h. */
import { createInterface } from "node:readline";
import { open } from "../../clients/node/streamem.mjs";

const readers = await Promise.all(
  ["64 B", "720p", "1080p"].map(async (label) => {
    const name = `clients-${label.toLowerCase().replace(" ", "")}`;
    return { label, reader: await open(name, { timeoutMs: 10_000 }) };
  }),
);

function oneRound() {
  return readers.flatMap(({ label, reader }) => {
    const calls = label === "64 B" ? 1000 : 5;
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) reader.latest();
    const samples = [Number(process.hrtime.bigint() - start) / calls];
    const cases = [`latest(), ${label}`, `a checked copy, ${label}`];
    return cases.map((one) => ({ case: one, contender: "Node", condition: "hot", samples }));
  });
}

console.log(JSON.stringify({ ready: true }));
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ series: oneRound() }));
}
