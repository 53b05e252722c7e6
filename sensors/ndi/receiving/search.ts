/** Which source is meant, and where it is: by its name, which an address alone says nothing about. */
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import type { NdiConfig } from "../config.ts";
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
/** A finder that was made before a source began may need 7 s to see it, one made after it does not. */
const renewEveryMs = 2000;

/** Resolves when it is there, says meanwhile what was seen; null when the sensor is to end. */
export async function findSource(search: Search, wanted: Wanted): Promise<FoundSource | null> {
  const { ndi, config, context } = search;
  const { groups } = config;
  const extraIps = [...config.extraIps, ...wanted.hosts];
  let finder = new Finder(ndi, { groups, extraIps });
  let renewedMs = performance.now();
  let said = "";
  try {
    for (;;) {
      const seen = finder.sources();
      const found = choose(seen, wanted);
      if (found.length > 1) warnOfSeveral(context, found);
      if (found[0]) return found[0];
      const words = searchWords(wanted, seen);
      if (words !== said) context.state("connecting", words);
      said = words;
      await sleep(lookEveryMs, context.signal);
      if (context.signal.aborted) return null;
      if (performance.now() - renewedMs < renewEveryMs) continue;
      finder.close();
      finder = new Finder(ndi, { groups, extraIps });
      renewedMs = performance.now();
    }
  } finally {
    finder.close();
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

function searchWords({ name, substrings }: Wanted, seen: FoundSource[]): string {
  const what =
    name === null
      ? `looking for a source whose name holds ${substrings.map((part) => `"${part}"`).join(" and ")}`
      : `"${name}" is gone; looking for it`;
  const names = seen.map((one) => `"${one.name}"`).sort();
  return `${what}. Seen: ${names.join(", ") || "no source at all"}`;
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
