/**
 * What a killed hub or sensor leaves behind: rings, locks and temporaries in /dev/shm, sockets in the
 * doorbell folder. Everything whose writer is dead goes; what lives, or is another user's, stays.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RingError, sweepStream } from "../ring/ffi.ts";

const shmFolder = "/dev/shm";

/** Removes what dead writers left of these streams. @returns those of which there was something */
export function sweepStreams(prefix: string, names: string[], socketFolder: string): string[] {
  return names.filter((name) => {
    const sockets = list(socketFolder).filter((file) => socketOf(prefix, file) === name);
    const swept = sweepRing(prefix, name);
    // No ring, no writer: its socket was made after it and goes before it.
    if (existsSync(join(shmFolder, `${prefix}.${name}`))) return swept;
    for (const socket of sockets) rmSync(join(socketFolder, socket), { force: true });
    return swept || sockets.length > 0;
  });
}

/** The same for every stream of the prefix. */
export function sweepPrefix(prefix: string, socketFolder: string): string[] {
  return sweepStreams(prefix, [...streamsLeft(prefix, socketFolder)].sort(), socketFolder);
}

/** Names of streams that left anything, alive or not. */
function streamsLeft(prefix: string, socketFolder: string): Set<string> {
  const ring = new RegExp(`^${prefix}\\.(.+)$`);
  const hidden = new RegExp(`^\\.${prefix}\\.(.+)\\.(?:lock|[0-9a-f]{16})$`);
  const names = list(shmFolder).map((file) => (hidden.exec(file) ?? ring.exec(file))?.[1]);
  const sockets = list(socketFolder).map((file) => socketOf(prefix, file));
  return new Set([...names, ...sockets].filter((name) => name !== undefined));
}

function sweepRing(prefix: string, name: string): boolean {
  try {
    return sweepStream(prefix, name);
  } catch (error) {
    if (error instanceof RingError) return false; // not ours to remove, or no stream's name
    throw error;
  }
}

/** `prefix.stream.sock`; its last letter is `~` while it is being made (native/doorbell.c). */
function socketOf(prefix: string, file: string): string | undefined {
  return new RegExp(`^${prefix}\\.(.+)\\.soc[k~]$`).exec(file)?.[1];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there: nothing was left in it
  }
}
