/** Calibrations of headsets seen before, for when one does not give its own. Only this user reads them. */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CalibratedStream } from "./fetch.ts";

export interface Cached {
  bytes: Uint8Array;
  fetched: Date;
}

export interface CacheKey {
  host: string;
  stream: CalibratedStream;
}

function folderOf(host: string): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  // A name from the configuration must not lead out of the folder.
  return join(caches, "streamem", "calibration", encodeURIComponent(host).replaceAll(".", "_"));
}

/** Null where there is none of that size. */
export async function cachedCalibration(key: CacheKey, size: number): Promise<Cached | null> {
  const path = join(folderOf(key.host), `${key.stream}.bin`);
  try {
    const { mtime } = await stat(path);
    const bytes = new Uint8Array(await readFile(path));
    return bytes.byteLength === size ? { bytes, fetched: mtime } : null;
  } catch {
    return null;
  }
}

/** Throws where the folder cannot be written. */
export async function keepCalibration(key: CacheKey, bytes: Uint8Array): Promise<void> {
  const folder = folderOf(key.host);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const path = join(folder, `${key.stream}.bin`);
  const fresh = `${path}.${process.pid}`;
  try {
    await writeFile(fresh, bytes, { mode: 0o600, flag: "wx" });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
