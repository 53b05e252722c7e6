#!/usr/bin/env bun
// Writes the traces beside this file, or with --check says which of them are stale.
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { available, reproducible } from "./pairing.ts";
import type { Trace } from "./trace.ts";
import { traces } from "./traces.ts";

/** A line for each event and each set. */
function toText(trace: Trace): string {
  const members = Object.entries(trace).map(([key, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

/** Every file by its name. */
export function traceFiles(): Map<string, string> {
  return new Map(
    traces.map((trace) => {
      const whole = { ...trace, reproducible: reproducible(trace), available: available(trace) };
      // all end with the trace: what waits then is decided
      const ends = trace.streams
        .filter(
          ({ name }) => !trace.events.some((event) => event.stream === name && "end" in event),
        )
        .map(({ name }) => ({ stream: name, end: "close" as const }));
      whole.reproducible = reproducible({ ...trace, events: [...trace.events, ...ends] });
      return [`${trace.name}.json`, toText(whole)];
    }),
  );
}

export function allTraces(): Trace[] {
  return [...traceFiles().values()].map((text) => JSON.parse(text));
}

function staleFiles(folder: string): string[] {
  const files = traceFiles();
  const there = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const extra = there.filter((name) => !files.has(name));
  const wrong = [...files].filter(
    ([name, text]) => !there.includes(name) || readFileSync(join(folder, name), "utf8") !== text,
  );
  return [...extra, ...wrong.map(([name]) => name)].sort();
}

if (import.meta.main) {
  const folder = import.meta.dir;
  const stale = staleFiles(folder);
  if (process.argv.includes("--check")) {
    for (const name of stale) console.error(`stale: clients/vectors/sync/${name}`);
    if (stale.length > 0) console.error("run: bun clients/vectors/sync/generate.ts");
    process.exit(stale.length > 0 ? 1 : 0);
  }
  const files = traceFiles();
  for (const name of stale) {
    const text = files.get(name);
    if (text) writeFileSync(join(folder, name), text);
    else unlinkSync(join(folder, name));
  }
  console.log(`${files.size} traces, ${stale.length} files written`);
}
