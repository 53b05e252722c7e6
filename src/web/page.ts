/** The page: asks for the streams once a second, and at once when the hub says that something changed. */
import type { SensorBody, StreamBody } from "../api/schemas.ts";
import { type Card, createCard } from "./card.ts";
import { make } from "./previews.ts";

const periodMs = 1000;
const fetchLimitMs = 5000;
/** States of a sensor that need no words: it works, or was stopped on purpose. */
const quiet: readonly SensorBody["state"][] = [
  "running",
  "stopped",
  "stopping",
  "ended",
  "starting",
];

const cards = new Map<string, Card>();
const streamsElement = found("streams");
const troublesElement = found("troubles");
const awayElement = found("away");
const summaryElement = found("summary");
const emptyElement = found("empty");

let awaySince: Date | null = null;
let asking = false;
let timer = 0;

async function ask(): Promise<void> {
  if (asking) return;
  asking = true;
  window.clearTimeout(timer);
  try {
    const [{ streams }, { sensors }] = await Promise.all([
      json<{ streams: StreamBody[] }>("/api/v1/streams"),
      json<{ sensors: SensorBody[] }>("/api/v1/sensors"),
    ]);
    back();
    showStreams(streams);
    showTroubles(sensors);
  } catch (error) {
    away(error as Error);
  }
  asking = false;
  timer = window.setTimeout(ask, periodMs);
}

async function json<Body>(path: string): Promise<Body> {
  const response = await fetch(path, { signal: AbortSignal.timeout(fetchLimitMs) });
  if (!response.ok) throw new Error(`it answers with ${response.status}`);
  return (await response.json()) as Body;
}

function showStreams(streams: StreamBody[]): void {
  const names = new Set(streams.map(({ name }) => name));
  for (const [name, card] of cards) if (!names.has(name)) forget(name, card);
  let before: Element | null = null;
  for (const stream of streams) {
    const card = cardOf(stream);
    const place: Element | null = before
      ? before.nextElementSibling
      : streamsElement.firstElementChild;
    // Moving what stands in its place already would take the keyboard's focus from it.
    if (place !== card.element) streamsElement.insertBefore(card.element, place);
    before = card.element;
  }
  emptyElement.hidden = streams.length > 0;
  say(summaryWords(streams));
}

/** A new generation may have another shape or type: it gets a fresh card in the same place. */
function cardOf(stream: StreamBody): Card {
  const known = cards.get(stream.name);
  if (known?.generation === stream.shm.generation) {
    known.update(stream);
    return known;
  }
  const card = createCard(stream);
  if (known) {
    known.element.before(card.element);
    known.remove();
  }
  cards.set(stream.name, card);
  return card;
}

function forget(name: string, card: Card): void {
  card.remove();
  cards.delete(name);
}

function summaryWords(streams: StreamBody[]): string {
  if (streams.length === 0) return "No streams";
  const count = streams.length === 1 ? "1 stream" : `${streams.length} streams`;
  const others = (["stalled", "dead", "retired"] as const)
    .map((state) => [streams.filter((stream) => stream.state === state).length, state] as const)
    .filter(([of]) => of > 0)
    .map(([of, state]) => `${of} ${state}`);
  return [count, ...others].join(", ");
}

function showTroubles(sensors: SensorBody[]): void {
  const inTrouble = ({ state }: { state: SensorBody["state"] }) => !quiet.includes(state);
  const troubled = sensors.filter((sensor) => inTrouble(sensor) || sensor.parts.some(inTrouble));
  troublesElement.replaceChildren(
    ...troubled.map(({ name, state, words, lastError }) => {
      const why = words ?? lastError?.words.split("\n")[0] ?? "";
      return make("p", {}, make("strong", {}, name), ` ${state} `, make("span", {}, why));
    }),
  );
  troublesElement.hidden = troubled.length === 0;
}

function away(error: Error): void {
  awaySince ??= new Date();
  const since = awaySince.toLocaleTimeString();
  const why = error.message.startsWith("it answers") ? error.message : "it does not answer";
  const words = `The hub has been away since ${since}: ${why}. What you see is what it showed last. Trying again each second…`;
  // A screen reader reads an alert each time it is written.
  if (awayElement.textContent !== words) awayElement.textContent = words;
  awayElement.hidden = false;
  document.body.classList.add("away");
  say("Hub away");
}

function back(): void {
  if (!awaySince) return;
  awaySince = null;
  awayElement.hidden = true;
  document.body.classList.remove("away");
  listen();
}

let events: EventSource | null = null;

/** A browser gives up on an event stream that was refused once, so each return of the hub gets a new one. */
function listen(): void {
  events?.close();
  events = new EventSource("/api/v1/events");
  for (const type of ["stream-added", "stream-changed", "stream-gone", "sensor"]) {
    events.addEventListener(type, ask);
  }
}

function say(words: string): void {
  if (summaryElement.textContent !== words) summaryElement.textContent = words;
}

function found(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

listen();
ask();
