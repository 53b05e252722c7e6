/** The last minute of each stream, a point a second: what a tile draws when it is opened. */
import type { StreamBody } from "../../api/schemas.ts";

export interface HistoryPoint {
  /** `performance.now()`. */
  atMs: number;
  rate: number | null;
  bytesPerSecond: number | null;
  ageMs: number | null;
  /** From the capture to the ring, of the newest frame. */
  latencyMs: number | null;
}

const keptMs = 60_000;
const histories = new Map<string, HistoryPoint[]>();

export function keepHistory(streams: StreamBody[]): void {
  const atMs = performance.now();
  const names = new Set(streams.map(({ name }) => name));
  for (const name of histories.keys()) if (!names.has(name)) histories.delete(name);
  for (const { name, measuredRate, bytesPerSecond, ageNs, latency } of streams) {
    const points = histories.get(name) ?? [];
    points.push({
      atMs,
      rate: measuredRate,
      bytesPerSecond,
      ageMs: milliseconds(ageNs),
      latencyMs: milliseconds(latency?.captureToPublishNs ?? null),
    });
    while ((points[0]?.atMs ?? atMs) < atMs - keptMs) points.shift();
    histories.set(name, points);
  }
}

/** Oldest first. */
export function historyOf(name: string): readonly HistoryPoint[] {
  return histories.get(name) ?? [];
}

function milliseconds(ns: string | null): number | null {
  return ns === null ? null : Number(ns) / 1e6;
}
