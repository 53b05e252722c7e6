/** Numbers as people read them. */
import { perSecond, rounded, typeName } from "../startup-table.ts";
import type { StreamFacts } from "./rings.ts";

export function bytesWords(bytes: number): string {
  return perSecond(bytes).replace("/s", "");
}

export function ageWords(ageNs: string | null): string {
  if (ageNs === null) return "";
  const ms = Number(ageNs) / 1e6;
  if (ms < 1000) return `${rounded(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${rounded(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function shapeWords({ dtype, shape }: StreamFacts): string {
  return `${typeName(dtype)} (${shape.join(", ")})`;
}

export function rateWords(rate: number | null | undefined): string {
  return rate === null || rate === undefined ? "" : `${rounded(rate)} /s`;
}

export function throughputWords(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "" : perSecond(bytesPerSecond);
}
