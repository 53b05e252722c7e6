/** What a person sees when the hub has started: each stream, and the line to paste that reads it. */
import { isAbsolute, relative } from "node:path";
import type { Dtype } from "./ring/descriptor.ts";

export interface StartupRow {
  name: string;
  shape: readonly number[] | null;
  dtype: Dtype | null;
  rate: number | null;
  frameBytes: number | null;
  /** What goes on, where there is no ring yet. */
  words: string | null;
}

/** @returns lines without colours: they are read by people and by grep */
export function startupTable(rows: StartupRow[], prefix: string): string {
  const cells = rows.map((row) => [
    row.name,
    row.shape && row.dtype ? `${typeName(row.dtype)} (${row.shape.join(", ")})` : "",
    row.rate ? `${rounded(row.rate)} /s` : "",
    row.rate && row.frameBytes ? perSecond(row.rate * row.frameBytes) : "",
    row.words ?? readLine(row.name, prefix),
  ]);
  const head = ["stream", "type and shape", "rate", "bytes", "read it with"];
  return aligned([head, ...cells], [2, 3]);
}

/** NumPy's names: `uint8` for `|u1`. */
export function typeName(dtype: Dtype): string {
  if (typeof dtype !== "string") return "record";
  const names: Record<string, string> = { u: "uint", i: "int", f: "float", c: "complex" };
  const [, kind = "", bytes] = /^[<>|=]?([a-zA-Z])(\d+)$/.exec(dtype) ?? [];
  return names[kind] ? `${names[kind]}${8 * Number(bytes)}` : dtype;
}

/** The Python client from where the user stands: copied and pasted, it must run. */
export function readLine(name: string, prefix: string): string {
  const client = new URL("../clients/python/streamem.py", import.meta.url).pathname;
  const fromHere = relative(process.cwd(), client);
  const path = fromHere.startsWith("..") || isAbsolute(fromHere) ? client : fromHere;
  const environment = prefix === "streamem" ? "" : `STREAMEM_PREFIX=${prefix} `;
  return `${environment}python3 ${/^[\w./-]+$/.test(path) ? path : `'${path}'`} ${name}`;
}

export function perSecond(bytes: number): string {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${rounded(bytes / 1000 ** power)} ${units[power]}`;
}

export function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** @param toTheRight columns of numbers */
export function aligned(rows: string[][], toTheRight: number[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          toTheRight.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
