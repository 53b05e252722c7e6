/** Where a frame's time went on its way from the device to the screen, as numbers and as a bar. */

import type { LiveFeed } from "../hub/live-feed.ts";
import type { Hop } from "../hub/shown.ts";
import { nowMs } from "./now.ts";

const short: Record<string, string> = {
  "device → arrival": "device",
  "capture → published": "capture",
  "arrival → published": "hub",
  "published → here": "here",
};

export function Hops({ feed }: { feed: LiveFeed }) {
  const hops = feed.meter.hops(nowMs.value);
  const total = hops.reduce((sum, { ms }) => sum + Math.max(0, ms), 0);
  const words = hops.map(hopWords).join(", ");
  return (
    <div class="hops" title={words || "No frame has come yet"}>
      <div
        class="stack"
        role="img"
        aria-label={words ? `Latency: ${words}` : "Latency: not known yet"}
      >
        {hops.map((hop) => (
          <i
            key={hop.name}
            data-hop={short[hop.name]}
            style={{ flexGrow: total > 0 ? Math.max(0, hop.ms) / total : 0 }}
          />
        ))}
      </div>
      <ul>
        {hops.map((hop) => (
          <li key={hop.name} data-hop={short[hop.name]}>
            {short[hop.name]} <b>{msWords(hop.ms)}</b>
            {hop.errorMs !== null && hop.errorMs >= 0.05 && (
              <span class="quiet"> ± {msWords(hop.errorMs)}</span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function hopWords({ name, ms, errorMs }: Hop): string {
  return `${name} ${msWords(ms)}${errorMs === null ? "" : ` ± ${msWords(errorMs)}`}`;
}

function msWords(ms: number): string {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.abs(ms) < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
