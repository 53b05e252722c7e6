/** Whether what stands on the screen is the present. An old picture is never shown as if it were live. */
import type { StreamBody } from "../../api/schemas.ts";
import type { Shown } from "./shown.ts";

export interface Freshness {
  fresh: boolean;
  /** Why not, for people; empty where it is fresh, or nothing is shown at all. */
  words: string;
}

export interface Sight {
  stream: Pick<StreamBody, "state" | "rate" | "ageNs"> & { shm: { generation: string } };
  shown: Shown | null;
  hubAway: boolean;
  /** The present, on the hub's clock; null where it is not known. */
  hubNowMs: number | null;
  nowMs: number;
  /** When the hub said what is in `stream`, `performance.now()`. */
  answeredAtMs: number;
}

/** No picture is older than that, or five periods, and still called live. */
const limitMs = 2000;

export function freshnessOf(sight: Sight): Freshness {
  const { stream, shown, hubAway } = sight;
  if (!shown) return { fresh: true, words: "" };
  const ageMs = shownAgeMs(shown, sight);
  const old = (why: string): Freshness => ({ fresh: false, words: `${agoWords(ageMs)}: ${why}` });
  if (hubAway) return old("the hub does not answer");
  if (stream.state === "stalled") return old("no frame since");
  if (stream.state === "dead") return old("its writer is gone");
  if (stream.state === "retired") return old("its writer has ended");
  if (stream.shm.generation !== shown.generation) return old("of the ring before");
  if (stream.rate) {
    const most = Math.max(limitMs, 5000 / stream.rate);
    return ageMs > most ? old("no newer one comes") : { fresh: true, words: "" };
  }
  // Without a rate an old frame may well be the newest: it is old where the hub knows a newer one.
  if (stream.ageNs === null) return { fresh: true, words: "" };
  const newestAgeMs = Number(stream.ageNs) / 1e6 + (sight.nowMs - sight.answeredAtMs);
  return ageMs - newestAgeMs > limitMs ? old("newer ones do not come") : { fresh: true, words: "" };
}

/** Since it was published; where the hub's clock is not known, since it was painted. */
export function shownAgeMs(shown: Shown, { hubNowMs, nowMs }: Pick<Sight, "hubNowMs" | "nowMs">) {
  return hubNowMs === null ? nowMs - shown.atMs : Math.max(0, hubNowMs - shown.publishTimeMs);
}

function agoWords(ageMs: number): string {
  const seconds = ageMs / 1000;
  if (seconds < 60) return `${Math.round(seconds)} s old`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min old`;
  return `${Math.floor(seconds / 3600)} h old`;
}
