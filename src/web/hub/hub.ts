/** What the hub says: asked once a second, and at once when it tells that something changed. */
import { signal } from "@preact/signals";
import type { SensorBody, StreamBody } from "../../api/schemas.ts";
import { keepHistory } from "./history.ts";

export interface Away {
  since: Date;
  why: string;
}

export const streams = signal<StreamBody[]>([]);
export const sensors = signal<SensorBody[]>([]);
/** Set while the hub does not answer. */
export const away = signal<Away | null>(null);
/** Whether it has ever answered. */
export const known = signal(false);
/** `performance.now()` of the last answer: ages in it count from there. */
export const answeredAtMs = signal(0);

const periodMs = 1000;
/** A hub that is stopped (SIGSTOP, a laptop's lid) accepts connections and says nothing. */
const patienceMs = 2500;

let asking = false;
let askAgain = false;
let timer = 0;

export function watchHub(): void {
  listen();
  ask();
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}

/** Asks now; where it is being asked already, once more afterwards. */
export async function ask(): Promise<void> {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  window.clearTimeout(timer);
  try {
    const [list, drivers] = await Promise.all([
      json<{ streams: StreamBody[] }>("/api/v1/streams"),
      json<{ sensors: SensorBody[] }>("/api/v1/sensors"),
    ]);
    const wasAway = away.value !== null;
    streams.value = list.streams;
    sensors.value = drivers.sensors;
    answeredAtMs.value = performance.now();
    keepHistory(list.streams);
    away.value = null;
    known.value = true;
    if (wasAway) listen();
  } catch (error) {
    away.value = { since: away.value?.since ?? new Date(), why: whyAway(error as Error) };
  }
  asking = false;
  if (askAgain) {
    askAgain = false;
    ask();
  } else {
    timer = window.setTimeout(ask, document.hidden ? 5 * periodMs : periodMs);
  }
}

export async function json<Body>(path: string): Promise<Body> {
  const response = await fetch(path, { signal: AbortSignal.timeout(patienceMs) });
  if (!response.ok) throw new RefusedError(`it answers with ${response.status}`);
  return (await response.json()) as Body;
}

class RefusedError extends Error {}

function whyAway(error: Error): string {
  if (error instanceof RefusedError) return error.message;
  if (error.name === "TimeoutError") return "it takes connections and does not answer";
  return "nobody answers at its address";
}

let events: EventSource | null = null;

/** A browser gives up on an event stream that was refused once, so each return of the hub gets a new one. */
function listen(): void {
  events?.close();
  events = new EventSource("/api/v1/events");
  for (const type of ["stream-added", "stream-changed", "stream-gone", "sensor"]) {
    events.addEventListener(type, () => ask());
  }
}
