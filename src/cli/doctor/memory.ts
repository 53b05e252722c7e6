/** Whether the rings of the configuration fit into shared memory and under the container's limit. */
import { lstatSync, statfsSync } from "node:fs";
import type { ConfiguredSensor } from "../../config/config.ts";
import { roomBytes } from "../../ring/ffi.ts";
import { plannedBytes } from "../ring-size.ts";
import { bytesWords } from "../words.ts";
import { broken, type Finding, type HubConfig, ok } from "./finding.ts";

const about = "shared memory";

export function sharedMemory({ sensors, prefix, file }: HubConfig): Finding {
  const { bavail, bsize } = statfsSync("/dev/shm");
  const freeBytes = bavail * bsize;
  const roomBytesNow = Number(roomBytes());
  const { needBytes, unknown } = needOf(sensors);
  // A ring that is there already makes way for its successor.
  const names = sensors.flatMap((sensor) => sensor.streams.map((stream) => stream.name));
  const heldBytes = names.reduce((sum, name) => sum + bytesAt(`/dev/shm/${prefix}.${name}`), 0);
  const words = [
    `${file ?? "the built-in default"} needs ${bytesWords(needBytes)}`,
    ...(unknown.length > 0 ? [`and what ${unknown.join(", ")} will send`] : []),
    `(${bytesWords(heldBytes)} of it in use), free are ${bytesWords(freeBytes)} in /dev/shm`,
    ...(roomBytesNow < freeBytes
      ? [`of which the memory limit (cgroup) leaves ${bytesWords(roomBytesNow)}`]
      : []),
  ].join(" ");
  if (needBytes <= roomBytesNow + heldBytes) return ok(about, words);
  return broken(about, words, roomBytesNow < freeBytes ? limitRemedy : sizeRemedy);
}

const fewer = "or give the sensors fewer `slots` or smaller frames";
const limitRemedy = `Raise the memory limit (docker run --memory=..., MemoryMax= of a service), ${fewer}.`;
const sizeRemedy = `Make it larger (docker run --shm-size=..., or as root: mount -o remount,size=... /dev/shm), ${fewer}.`;

function needOf(sensors: ConfiguredSensor[]): { needBytes: number; unknown: string[] } {
  const unknown: string[] = [];
  let needBytes = 0;
  for (const { config, streams } of sensors) {
    for (const { name, spec } of streams) {
      const bytes = plannedBytes(spec, config.slots);
      if (bytes === null) unknown.push(name);
      needBytes += bytes ?? 0;
    }
  }
  return { needBytes, unknown };
}

function bytesAt(path: string): number {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status ? status.blocks * 512 : 0;
}
