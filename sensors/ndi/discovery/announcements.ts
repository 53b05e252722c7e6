/**
 * What sources say of themselves by multicast DNS: service `_ndi._tcp`, the instance is the source's name. libndi hears it
 * through avahi's daemon only, so that this is for machines without one.
 */
import type { EventEmitter } from "node:events";
import { Bonjour, type Service } from "bonjour-service";
import type { FoundSource } from "../libndi/finder.ts";

const type = { type: "ndi", protocol: "tcp" } as const;
const suffix = /\._ndi\._tcp\.local\.?$/i;
const usualGroup = "public";

/** One that has heard nothing is asked for again after twice as long. */
const firstAskMs = 500;
const lastAskMs = 30_000;

export interface Announcements {
  /** Heard since the start or the last `renew`. */
  sources(): FoundSource[];
  /** Forgets what it heard and asks again: who was killed has not said goodbye. */
  renew(): void;
  close(): void;
}

/** @param failed told where nothing can be heard: the port 5353 is taken by a program that does not share it */
export function hearAnnouncements(
  groups: string[],
  failed: (words: string) => void,
): Announcements {
  // What it is not asked to tell, bonjour-service throws, and the socket below it as well.
  const bonjour = new Bonjour({}, (error: Error) => failed(error.message));
  const { mdns } = (bonjour as unknown as { server: { mdns: EventEmitter } }).server;
  mdns.on("error", (error: Error) => failed(error.message));
  let browser = bonjour.find(type);
  let timer: Timer;

  const askLater = (waitMs: number) => {
    timer = setTimeout(() => {
      browser.expire();
      browser.update();
      askLater(Math.min(2 * waitMs, lastAskMs));
    }, waitMs);
  };
  askLater(firstAskMs);

  return {
    sources: () => browser.services.flatMap((service) => foundSource(service, groups) ?? []),
    renew() {
      browser.stop();
      clearTimeout(timer);
      browser = bonjour.find(type);
      askLater(firstAskMs);
    },
    close() {
      browser.stop();
      clearTimeout(timer);
      bonjour.destroy();
    },
  };
}

/** Null for what is of other groups, or names no place. */
export function foundSource(
  service: Pick<Service, "fqdn" | "port" | "addresses" | "referer" | "txt">,
  groups: string[],
): FoundSource | null {
  const own = String(service.txt?.groups ?? usualGroup).split(",");
  if (!own.some((group) => groups.includes(group.trim()))) return null;
  const host = reachable(service.addresses ?? [], service.referer?.address);
  const name = (service.fqdn ?? "").replace(suffix, "");
  if (!name || !host || !(service.port > 0)) return null;
  return { name, address: `${host}:${service.port}` };
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Where the packet came from is sure to be within reach, unless another passed it on. */
function reachable(addresses: string[], from: string | undefined): string | undefined {
  const own = addresses.filter((address) => ipv4.test(address));
  if (from !== undefined && (own.length === 0 || own.includes(from))) return from;
  return own[0];
}
