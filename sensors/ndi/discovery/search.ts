/** The sources on the network, by every way there is to hear of them. Nothing here waits. */
import { existsSync } from "node:fs";
import { Finder, type FoundSource } from "../libndi/finder.ts";
import type { Ndi } from "../libndi/load.ts";
import { type Announcements, hearAnnouncements } from "./announcements.ts";

export interface SearchOptions {
  /** Sources of other groups are not seen. */
  groups: string[];
  /** Hosts that are asked besides. */
  extraIps: string[];
  /** Told once where a way of hearing is closed. */
  warn(words: string): void;
}

export interface SourceSearch {
  /** All that is known now, by name. */
  sources(): FoundSource[];
  /**
   * Forgets everything and asks again, these hosts besides: what a source that was killed had said lives on, and a
   * search that is older than a source may need 7 s to see it.
   */
  renew(hosts?: string[]): void;
  close(): void;
}

/** @param ndi null: without libndi only announcements are heard, and no host is asked */
export function searchSources(ndi: Ndi | null, options: SearchOptions): SourceSearch {
  const { groups, warn } = options;
  const avahi = avahiRuns();
  // Without avahi's daemon nobody announces what this machine itself sends.
  const extraIps = avahi ? options.extraIps : ["127.0.0.1", ...options.extraIps];
  const finder = (hosts: string[]) =>
    ndi && new Finder(ndi, { groups, extraIps: [...new Set([...extraIps, ...hosts])] });
  let asking = finder([]);
  const hearing: Announcements | null =
    ndi && avahi ? null : hearAnnouncements(groups, onceOf(warn));

  return {
    sources() {
      const byName = new Map<string, FoundSource>();
      for (const one of hearing?.sources() ?? []) byName.set(one.name, one);
      for (const one of asking?.sources() ?? []) byName.set(one.name, one);
      return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    renew(hosts = []) {
      asking?.close();
      asking = finder(hosts);
      hearing?.renew();
    },
    close() {
      asking?.close();
      hearing?.close();
    },
  };
}

/** Then libndi hears announcements itself. */
function avahiRuns(): boolean {
  return existsSync("/run/avahi-daemon/socket");
}

function onceOf(warn: (words: string) => void): (words: string) => void {
  let told = false;
  return (words) => {
    if (!told) warn(`announcements of NDI sources (mDNS, UDP 5353) are not heard: ${words}`);
    told = true;
  };
}
