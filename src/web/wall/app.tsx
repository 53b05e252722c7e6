/** The whole page: what the hub has, by sensor; a banner when it is away; one stream opened to full size. */
import { useSignalEffect } from "@preact/signals";
import type { StreamBody } from "../../api/schemas.ts";
import { away, known, sensors, streams } from "../hub/hub.ts";
import { blocked } from "../hub/live-feed.ts";
import { columnCount, useColumns } from "./columns.ts";
import { Group } from "./group.tsx";
import { NdiSources } from "./ndi.tsx";
import { Opened } from "./opened.tsx";
import { openedName } from "./opened-name.ts";

export function App() {
  const wall = useColumns();
  useSignalEffect(() => {
    const live = streams.value.filter(({ state }) => state === "live").length;
    document.title = away.value ? "streamem: hub away" : `streamem: ${live} live`;
  });
  const opened = streams.value.find(({ name }) => name === openedName.value);
  return (
    <>
      <header class="top">
        <h1>
          <Logo />
          streamem
        </h1>
        <p role="status">{summaryWords()}</p>
        <nav aria-label="More">
          <a href="/docs">API</a>
          <a href="/metrics">Metrics</a>
        </nav>
      </header>
      <AwayBanner />
      {blocked.value && <BlockedBanner />}
      <main>
        <div class={away.value ? "wall away" : "wall"} ref={wall}>
          {groupsOf(streams.value).map(({ name, tiles }) => (
            <Group
              key={name ?? ""}
              sensor={sensors.value.find((sensor) => sensor.name === name) ?? null}
              streams={tiles}
              columns={columnCount.value}
            />
          ))}
        </div>
        {known.value && streams.value.length === 0 && sensors.value.length === 0 && (
          <p class="empty">
            No streams yet. They appear here by themselves, from the hub's sensors or any other
            program.
          </p>
        )}
        <NdiSources />
      </main>
      {openedName.value && (
        <Opened key={openedName.value} name={openedName.value} stream={opened} />
      )}
    </>
  );
}

interface Tiles {
  /** Of the sensor; null: of other programs. */
  name: string | null;
  tiles: StreamBody[];
}

/** In the order of the configuration, those of other programs last. */
function groupsOf(streams: StreamBody[]): Tiles[] {
  const names = sensors.value.map(({ name }) => name);
  const groups: Tiles[] = names.map((name) => ({
    name,
    tiles: streams.filter(({ sensor }) => sensor === name).sort(byInterest),
  }));
  const others = streams.filter(({ sensor }) => sensor === null || !names.includes(sensor));
  if (others.length > 0) groups.push({ name: null, tiles: others });
  return groups;
}

/** What one looks at first. */
const kindOrder: readonly StreamBody["kind"][] = [
  "video",
  "depth",
  "pose",
  "audio",
  "imu",
  "message",
  "tensor",
];

/** Active brightness (`.ab`) stays beside its depth. */
function byInterest(one: StreamBody, other: StreamBody): number {
  const rank = ({ kind, name }: StreamBody) =>
    kindOrder.indexOf(name.endsWith(".ab") ? "depth" : kind);
  return rank(one) - rank(other) || one.name.localeCompare(other.name);
}

function summaryWords(): string {
  if (away.value) return "Hub away";
  if (!known.value) return "Asking the hub…";
  const count = streams.value.length;
  if (count === 0) return "No streams";
  const states = (["live", "stalled", "dead", "retired"] as const)
    .map(
      (state) => [streams.value.filter((stream) => stream.state === state).length, state] as const,
    )
    .filter(([of]) => of > 0)
    .map(([of, state]) => `${of} ${state}`);
  return `${count === 1 ? "1 stream" : `${count} streams`}: ${states.join(", ")}`;
}

function AwayBanner() {
  if (!away.value) return <div role="alert" />;
  const { since, why } = away.value;
  return (
    <div role="alert" class="banner">
      <strong>The hub has been away since {since.toLocaleTimeString()}</strong>: {why}. Pictures are
      what was seen last. Asking again each second.
    </div>
  );
}

function BlockedBanner() {
  return (
    <div role="status" class="banner">
      <strong>Something between this page and the hub lets no WebSocket through</strong>: pictures
      come over HTTP, two a second at most; sound, motion and messages do not. A socket is tried
      again every 10 s.
    </div>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="11" />
    </svg>
  );
}
