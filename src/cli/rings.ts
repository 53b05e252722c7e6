/** The streams of this machine without a hub: what /dev/shm shows, and the words for it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { redactDeep } from "../log/redact.ts";
import { hopsText } from "../streams/hops.ts";
import { Stream } from "../streams/stream.ts";

export interface Unreadable {
  path: string;
  why: string;
}

export interface OpenRings {
  streams: Stream[];
  /** Files of a ring's name that are none, or another user's. */
  unreadable: Unreadable[];
}

/** Every ring `/dev/shm/<prefix>.*`, in the order of their names; close them. */
export function openRings(prefix: string, folder = "/dev/shm"): OpenRings {
  const rings: OpenRings = { streams: [], unreadable: [] };
  const start = `${prefix}.`;
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith(start)) continue;
    const path = join(folder, file);
    try {
      rings.streams.push(Stream.open(file.slice(start.length), path));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") rings.unreadable.push({ path, why: message });
    }
  }
  return rings;
}

/** What the API tells of a stream, as far as it can be known without the hub; the same names. */
export function streamFacts(stream: Stream) {
  const { descriptor, header, uid } = stream.segment;
  const { state, measuredRate, ageNs, lastSequence, lastBytes, hops } = stream.look();
  return {
    ...(redactDeep(descriptor) as typeof descriptor),
    name: stream.name,
    state,
    measuredRate,
    bytesPerSecond: measuredRate === null || lastBytes === null ? null : measuredRate * lastBytes,
    ageNs: ageNs === null ? null : ageNs.toString(),
    lastSequence: lastSequence.toString(),
    latency: hops && hopsText(hops),
    reservedBytes: header.totalBytes,
    wakeMode: header.wakeMode,
    writer: { pid: header.writerPid, uid, startedUtcNs: header.writerStartUtcNs.toString() },
  };
}

export type StreamFacts = ReturnType<typeof streamFacts>;

/** The facts of all that can still be read; a ring may be cut short while it is looked at. */
export function allFacts(streams: Stream[]): { facts: StreamFacts[]; unreadable: Unreadable[] } {
  const facts: StreamFacts[] = [];
  const unreadable: Unreadable[] = [];
  for (const stream of streams) {
    try {
      facts.push(streamFacts(stream));
    } catch (error) {
      unreadable.push({ path: stream.segment.path, why: (error as Error).message });
    }
  }
  return { facts, unreadable };
}
