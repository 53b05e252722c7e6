/** What the processes of one sensor come to: one state, and in words what of it does not run. */
import type { PartStatus, SensorLifeState, SensorStatus } from "./sensor-status.ts";

type Sum = Pick<
  SensorStatus,
  "state" | "words" | "pid" | "restarts" | "streams" | "lastError" | "counters"
>;

/** Where nothing runs: what people should hear of first. */
const telling: readonly SensorLifeState[] = [
  "stopping",
  "connecting",
  "restarting",
  "starting",
  "waiting",
];
const namesMax = 2;

/** @param parts at least one; a single one speaks for the whole sensor */
export function sumOf(parts: readonly PartStatus[]): Sum {
  const [first] = parts as [PartStatus, ...PartStatus[]];
  const state = parts.length === 1 ? first.state : stateOf(parts);
  const words = parts.length === 1 ? first.words : wordsOf(parts, state);
  return {
    state,
    words,
    pid: first.pid,
    restarts: parts.reduce((sum, { restarts }) => sum + restarts, 0),
    streams: [...new Set(parts.flatMap(({ streams }) => streams))],
    lastError: newestError(parts),
    counters: sums(parts),
  };
}

/** A part without streams, which only keeps the connection, does not make the sensor run. */
function stateOf(parts: readonly PartStatus[]): SensorLifeState {
  const has = (wanted: SensorLifeState) => parts.some(({ state }) => state === wanted);
  if (has("stopping")) return "stopping";
  if (parts.some(({ state, streams }) => state === "running" && streams.length > 0))
    return "running";
  const active = telling.find(has);
  if (active) return active;
  if (has("running")) return "waiting";
  if (has("stopped")) return "stopped";
  return has("ended") ? "ended" : "failed";
}

/** Null where the state says it all. */
function wordsOf(parts: readonly PartStatus[], state: SensorLifeState): string | null {
  if (state === "stopping" || state === "stopped") return null;
  const named = new Map<string, string[]>();
  for (const part of parts) {
    if (part.state === "running") continue;
    const words = partWords(part);
    named.set(words, [...(named.get(words) ?? []), part.name]);
  }
  const sentences = [...named].map(([words, names]) => `${namesWords(names)}: ${words}`);
  return sentences.length > 0 ? sentences.join(". ") : null;
}

function partWords({ state, words, lastError }: PartStatus): string {
  const failure = state === "failed" ? lastError?.words.split("\n")[0] : null;
  const more = (words ?? failure)?.replace(/\.$/, "");
  return more ? `${state}, ${more}` : state;
}

/** "pv", "pv and vlc", "pv, vlc and 3 more". */
function namesWords(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(names.length > namesMax ? ", " : " and ");
  return names.length > namesMax ? `${shown} and ${names.length - namesMax} more` : shown;
}

function newestError(parts: readonly PartStatus[]): SensorStatus["lastError"] {
  const errors = parts.flatMap(({ lastError }) => lastError ?? []);
  return errors.sort((one, other) => one.at.localeCompare(other.at)).at(-1) ?? null;
}

function sums(parts: readonly PartStatus[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { counters } of parts) {
    for (const [name, count] of Object.entries(counters)) all[name] = (all[name] ?? 0) + count;
  }
  return all;
}
