#!/usr/bin/env bun
// Writes the vectors beside this file, or with --check says which of them are stale.
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { damagedCases } from "./cases-damaged.ts";
import { messageCases } from "./cases-messages.ts";
import { refusedCases } from "./cases-refused.ts";
import { wholeCases } from "./cases-whole.ts";

const isPlain = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isPlain) : value === null || typeof value !== "object";

const flat = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(flat).join(", ")}]` : JSON.stringify(value);

/** A JSON value, spread over lines the way the project's formatter wants it. */
function toText(value: unknown, indent = ""): string {
  if (isPlain(value)) return flat(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => deeper + toText(item, deeper)).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value as object)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${deeper}${JSON.stringify(key)}: ${toText(member, deeper)}`);
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function expected(vector: Case): unknown {
  if ("errorFrom" in vector) {
    const { about, errorFrom, errorMentions } = vector;
    return { about, open: "error", errorFrom, errorMentions };
  }
  const { about, ring, latest, last, retired } = vector;
  const sequences = Object.entries(last).map(([n, seqs]) => [n, seqs.map(String)]);
  return {
    about,
    open: "ok",
    generation: ring.generation,
    retired: retired ?? false,
    descriptor: ring.descriptor,
    latest: latest && ring.answer(latest),
    last: Object.fromEntries(sequences),
  };
}

/** Every file of the set by its name. */
export function vectorFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const vector of [...wholeCases, ...messageCases, ...damagedCases, ...refusedCases]) {
    if (files.has(`${vector.name}.ring`)) throw new Error(`two vectors are named ${vector.name}`);
    files.set(`${vector.name}.ring`, vector.ring.bytes);
    files.set(`${vector.name}.json`, Buffer.from(`${toText(expected(vector))}\n`));
  }
  return files;
}

/** Names of files that differ from the set, are missing from it, or no longer belong to it. */
export function staleFiles(folder: string): string[] {
  const files = vectorFiles();
  const there = readdirSync(folder).filter((name) => /\.(ring|json)$/.test(name));
  const extra = there.filter((name) => !files.has(name));
  const wrong = [...files].filter(
    ([name, bytes]) => !there.includes(name) || !readFileSync(join(folder, name)).equals(bytes),
  );
  return [...extra, ...wrong.map(([name]) => name)].sort();
}

if (import.meta.main) {
  const folder = import.meta.dir;
  const stale = staleFiles(folder);
  if (process.argv.includes("--check")) {
    for (const name of stale) console.error(`stale: clients/vectors/${name}`);
    if (stale.length > 0) console.error("run: bun clients/vectors/generate.ts");
    process.exit(stale.length > 0 ? 1 : 0);
  }
  const files = vectorFiles();
  for (const name of stale) {
    const bytes = files.get(name);
    if (bytes) writeFileSync(join(folder, name), bytes);
    else unlinkSync(join(folder, name));
  }
  console.log(`${files.size / 2} vectors, ${stale.length} files written`);
}
