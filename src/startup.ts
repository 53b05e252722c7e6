/** Says that the hub runs: the table for people, or one JSON line with the same for machines. */

import type { Hub } from "./hub.ts";
import { type Descriptor, frameBytes, type StreamSpec } from "./ring/descriptor.ts";
import { openSegment } from "./ring/segment.ts";
import { readLine, type StartupRow, startupTable } from "./startup-table.ts";
import type { PartStatus, SensorStatus } from "./supervisor/sensor-status.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";

/** A camera that does not answer must not keep the table back. */
const patienceMs = 3000;

export async function announce(hub: Hub, json: boolean): Promise<void> {
  await settled(hub.supervisor, patienceMs);
  const rows = hub.supervisor.list().flatMap((sensor) => rowsOf(sensor, hub));
  process.stdout.write(json ? `${startedLine(hub, rows)}\n` : `${startedWords(hub, rows)}\n`);
}

/** Resolves when every sensor and each of its parts runs, or has said what it waits for; at the latest after `timeoutMs`. */
export function settled(supervisor: Supervisor, timeoutMs: number): Promise<void> {
  const isSettled = () =>
    supervisor
      .list()
      .flatMap((sensor) => [sensor, ...sensor.parts])
      .every(({ state }) => state !== "starting" && state !== "connecting");
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const unsubscribe = supervisor.subscribe(() => isSettled() && finish());
    const timer = setTimeout(finish, timeoutMs);
    if (isSettled()) finish();
  });
}

function rowsOf(sensor: SensorStatus, { prefix, planned }: Hub): StartupRow[] {
  return sensor.streams.map((name) => {
    const descriptor = descriptorOf(name, prefix);
    if (descriptor) return { ...shapeOf(descriptor), name, words: null };
    const plan = planned.find((stream) => stream.name === name)?.spec ?? {};
    const { state, words, lastError } = processOf(name, sensor);
    const why = lastError?.words.split("\n")[0] ?? words ?? "no frame yet";
    return { ...shapeOf(plan), name, words: `${state}: ${why}` };
  });
}

/** Parts are commonly named as their streams are; else what they come to has to do. */
function processOf(stream: string, sensor: SensorStatus): SensorStatus | PartStatus {
  const own = sensor.parts.find(({ name }) => `${stream}.`.startsWith(`${sensor.name}.${name}.`));
  return own ?? sensor;
}

function shapeOf({ dtype, shape, rate, strides }: Partial<StreamSpec>) {
  const bytes = dtype && shape ? frameBytes({ dtype, shape, strides }) : null;
  return { dtype: dtype ?? null, shape: shape ?? null, rate: rate ?? null, frameBytes: bytes };
}

function descriptorOf(name: string, prefix: string): Descriptor | null {
  try {
    const segment = openSegment(`/dev/shm/${prefix}.${name}`);
    segment.close();
    return segment.descriptor;
  } catch {
    return null; // not made yet: the sensor's state says why
  }
}

function startedWords(hub: Hub, rows: StartupRow[]): string {
  const table = rows.length > 0 ? startupTable(rows, hub.prefix) : "No sensors are configured.";
  return `\n${table}\n\n${hub.url} shows them, ${hub.url}/docs describes the API. Ctrl-C ends the hub.\n`;
}

function startedLine(hub: Hub, rows: StartupRow[]): string {
  const streams = rows.map((row) => ({ ...row, read: readLine(row.name, hub.prefix) }));
  return JSON.stringify({ event: "started", url: hub.url, prefix: hub.prefix, streams });
}
