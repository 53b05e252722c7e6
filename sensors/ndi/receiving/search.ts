/** Which source is meant, and where it is: by its name, which an address alone says nothing about. */
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import type { NdiConfig } from "../config.ts";
import { searchSources } from "../discovery/search.ts";
import { Finder, type FoundSource } from "../libndi/finder.ts";
import type { Ndi } from "../libndi/load.ts";

export interface Search {
  ndi: Ndi;
  config: NdiConfig;
  context: SensorContext;
}

export interface Wanted {
  /** All of them are parts of its name. */
  substrings: string[];
  /** The one that was received: from then on it is this one and no other that matches. */
  name: string | null;
  /** Asked for their sources besides: where it was last. */
  hosts: string[];
}

const lookEveryMs = 50;
/** What is heard by then is all there is to hear; what began meanwhile is seen at once by a search that is new. */
const renewEveryMs = 2000;

/** Resolves when it is there, says meanwhile what was seen; null when the sensor is to end. */
export async function findSource(search: Search, wanted: Wanted): Promise<FoundSource | null> {
  const { ndi, config, context } = search;
  const { groups } = config;
  const extraIps = [...config.extraIps, ...wanted.hosts];
  // What was known before the loss is of no use: whoever was killed has not said goodbye.
  const sources = searchSources(ndi, { groups, extraIps, warn: context.log.warn });
  let renewMs = performance.now() + renewEveryMs;
  if (wanted.name === null) context.state("connecting", searchWords(wanted));
  try {
    while (!context.signal.aborted) {
      const seen = sources.sources();
      const [first, ...others] = choose(seen, wanted);
      if (first && others.length > 0) warnOfSeveral(context, [first, ...others]);
      if (first) return first;
      if (performance.now() > renewMs) {
        context.state("connecting", `${searchWords(wanted)} ${seenWords(seen)}`);
        sources.renew();
        renewMs = performance.now() + renewEveryMs;
      }
      await sleep(lookEveryMs, context.signal);
    }
    return null;
  } finally {
    sources.close();
  }
}

/** A port that is listed under two names was taken over by one of them, and nobody knows by which. */
export function choose(seen: FoundSource[], { name, substrings }: Wanted): FoundSource[] {
  const clear = seen.filter(
    (one) => !seen.some((other) => other.address === one.address && other.name !== one.name),
  );
  if (name !== null) return clear.filter((one) => one.name === name);
  const parts = substrings.map((part) => part.toLowerCase());
  return clear
    .filter((one) => parts.every((part) => one.name.toLowerCase().includes(part)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function warnOfSeveral(context: SensorContext, found: FoundSource[]): void {
  const names = found.map(({ name }) => `"${name}"`).join(", ");
  context.log.warn(
    `${names} all match: the first one is received. Make \`source\` longer to choose another`,
  );
}

function searchWords({ name, substrings }: Wanted): string {
  if (name !== null) return `"${name}" is gone; looking for it.`;
  const parts = substrings.map((part) => `"${part}"`).join(" and ");
  return `looking for a source whose name holds ${parts}.`;
}

function seenWords(seen: FoundSource[]): string {
  return `Seen: ${seen.map(({ name }) => `"${name}"`).join(", ") || "no source at all"}`;
}

const learnForMs = 5000;

/** The name of the source at an address, if its host says it: so that after a loss it is that source which is looked for. */
export async function nameAt(
  { ndi, config: { groups } }: Search,
  address: string,
  signal: AbortSignal,
): Promise<string | null> {
  const finder = new Finder(ndi, { groups, extraIps: [address.split(":")[0] as string] });
  const untilMs = performance.now() + learnForMs;
  try {
    while (!signal.aborted && performance.now() < untilMs) {
      const [one, ...others] = finder.sources().filter((source) => source.address === address);
      if (one && others.length === 0) return one.name;
      await sleep(lookEveryMs, signal);
    }
    return null;
  } finally {
    finder.close();
  }
}
