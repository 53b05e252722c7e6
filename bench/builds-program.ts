/** Publishes through the shim as this process has loaded it, and speaks the protocol of program.h. argv: the build's name. */
import { check, cString, type Handle, lib, outPointer } from "../src/ring/ffi.ts";
import { createWriter, type RingWriter } from "../src/ring/writer.ts";
import type { Series } from "./bench.ts";

const build = process.argv[2] as string;
const tick = 1000 / 30;
const ticks = 12;
const batch = 300;
const batches = 12;
const prefix = process.env.STREAMEM_PREFIX as string;
const label = build.replace(/[^a-z0-9]/gi, "").toLowerCase();
const sizes = [
  { kase: "64 B", bytes: 64, hot: true },
  { kase: "1080p, 6,220,800 B", bytes: 6_220_800, hot: false },
];

/** A ring of its own for each way, so that both visit its slots in turn. */
function bare(name: string, bytes: number): Handle {
  const descriptor = cString(JSON.stringify({ kind: "tensor", dtype: "|u1", shape: [bytes] }));
  const text = [cString(prefix), cString(name)] as const;
  return outPointer((out) => {
    check(name, (error) =>
      lib.streamem_ffi_create(out, null, ...text, descriptor, null, bytes, 0, 8, 0xffffffff, error),
    );
  });
}

interface Contender {
  kase: string;
  contender: string;
  hot: boolean;
  call(): unknown;
}

const writers: RingWriter[] = [];
const handles: Handle[] = [];
const contenders = sizes.flatMap(({ kase, bytes, hot }): Contender[] => {
  const payload = crypto.getRandomValues(new Uint8Array(65536));
  const source = new Uint8Array(bytes).map((_, i) => payload[i % 65536] as number);
  const spec = { kind: "tensor" as const, dtype: "|u1", shape: [bytes] };
  const writer = createWriter(`builds-${label}-${bytes}`, spec, { prefix });
  const handle = bare(`bare-${label}-${bytes}`, bytes);
  writers.push(writer);
  handles.push(handle);
  return [
    {
      kase,
      contender: `streamem_publish, ${build}`,
      hot,
      call: () => lib.streamem_publish(handle, source, bytes, null, null),
    },
    { kase, contender: `RingWriter.publish, ${build}`, hot, call: () => writer.publish(source) },
  ];
});
contenders.push({
  kase: "64 B",
  contender: `an empty call, ${build}`,
  hot: true,
  call: () => lib.streamem_ffi_writer_name_gone(handles[0] as Handle),
});

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function timed(calls: number, call: () => unknown): number {
  const start = Bun.nanoseconds();
  for (let i = 0; i < calls; i++) call();
  return (Bun.nanoseconds() - start) / calls;
}

function round(): Series[] {
  const series = new Map<string, Series>();
  const add = ({ kase, contender }: Contender, condition: string, ns: number) => {
    const key = `${kase} ${contender} ${condition}`;
    const found = series.get(key) ?? { case: kase, contender, condition, samples: [] };
    series.set(key, found);
    found.samples.push(ns);
  };
  let at = performance.now();
  for (let i = 0; i < ticks; i++) {
    for (const contender of shuffled(contenders)) {
      at = Math.max(at + tick, performance.now());
      Bun.sleepSync(at - performance.now());
      add(contender, "30 Hz", timed(1, contender.call));
    }
  }
  for (let i = 0; i < batches; i++) {
    for (const contender of shuffled(contenders.filter((c) => c.hot))) {
      add(contender, "hot", timed(batch, contender.call));
    }
  }
  return [...series.values()];
}

for (const contender of contenders.filter((c) => c.hot)) timed(20_000, contender.call); // let the JIT settle
console.log(JSON.stringify({ ready: true }));
for await (const _ of console) console.log(JSON.stringify({ series: round() }));
for (const writer of writers) writer.close();
for (const handle of handles) lib.streamem_writer_close(handle);
