/** What lies in /dev/shm and has no writer any more, or is not ours. */
import { closeSync, constants, lstatSync, openSync, readdirSync } from "node:fs";
import { writerAlive } from "../../ring/ffi.ts";
import { openRings } from "../rings.ts";
import { bytesWords } from "../words.ts";
import { broken, type Finding, type HubConfig, ok, warning } from "./finding.ts";

const folder = "/dev/shm";

export function leftovers({ prefix, sensors }: HubConfig): Finding[] {
  const names = sensors.flatMap((sensor) => sensor.streams.map((stream) => stream.name));
  return [stale(prefix), ...inTheWay(prefix, names)];
}

/** Rings of dead writers, and rings that were being made when their writer died. */
function stale(prefix: string): Finding {
  const dead = [...deadRings(prefix), ...deadTemporaries(prefix)];
  if (dead.length === 0) return ok("stale rings", "none");
  const bytes = dead.reduce((sum, path) => sum + bytesAt(path), 0);
  const words = `${dead.join(", ")}: no writer lives, ${bytesWords(bytes)} held`;
  const remedy = `The next start of the hub clears them away; or: rm ${dead.join(" ")}`;
  return warning("stale rings", words, remedy);
}

function deadRings(prefix: string): string[] {
  const { streams } = openRings(prefix, folder);
  const dead = streams.filter((stream) => !stream.writerAlive());
  for (const stream of streams) stream.close();
  return dead.map((stream) => stream.segment.path);
}

function deadTemporaries(prefix: string): string[] {
  const temporary = new RegExp(`^\\.${prefix}\\..+\\.[0-9a-f]{16}$`);
  return readdirSync(folder)
    .filter((file) => temporary.test(file))
    .map((file) => `${folder}/${file}`)
    .filter((path) => !isHeld(path));
}

function isHeld(path: string): boolean {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const held = writerAlive(fd);
    closeSync(fd);
    return held;
  } catch {
    return true; // gone by now, or another user's: not ours to judge
  }
}

/** Files of other users, or no files at all, at names that a configured sensor will want. */
function inTheWay(prefix: string, names: string[]): Finding[] {
  const uid = process.geteuid?.() ?? 0;
  return names.flatMap((name) => {
    const path = `${folder}/${prefix}.${name}`;
    return [path, `${folder}/.${prefix}.${name}.lock`].flatMap((path) => {
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (!status || (status.isFile() && status.uid === uid)) return [];
      const words = status.isFile() ? `belongs to uid ${status.uid}` : "is no file";
      const remedy = `Its owner or root must remove it (rm -r ${path}), or choose another --prefix.`;
      return [broken(`the ring of ${name}`, `${path} ${words}`, remedy)];
    });
  });
}

function bytesAt(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}
