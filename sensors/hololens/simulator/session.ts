/** One connection to a stream's port: what it asks for, then packets or a single transfer. */

import { calibrations } from "../wire/calibration.ts";
import {
  type Opening,
  type Request,
  readOpening,
  readRequest,
} from "../wire/configuration-reading.ts";
import { type StreamName, streamPorts } from "../wire/ports.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { audioList, cameraList } from "./camera-formats.ts";
import { ClientGone, type Connection } from "./connection.ts";
import type { Device } from "./device.ts";
import { openSource } from "./sources.ts";
import { streamPackets, type Tally } from "./streaming.ts";
import { startAsked, stop, subsystemNameOf, subsystemOf } from "./subsystems.ts";

export interface SessionSettings {
  videoFile: string;
  /** A client that says nothing, or not all, would hold the port for ever. */
  configurationLimitMs: number;
  /** One line, for people. */
  log(words: string): void;
}

export async function serveStream(
  device: Device,
  stream: StreamName,
  connection: Connection,
  settings: SessionSettings,
): Promise<void> {
  try {
    await served(device, stream, connection, settings);
  } catch (error) {
    if (error instanceof ClientGone) settings.log(`${stream}: the client is gone`);
    else if (error instanceof ProtocolError) settings.log(`refused: ${error.message}`);
    else settings.log(`${stream}: ${(error as Error).stack}`);
  }
}

async function served(
  device: Device,
  stream: StreamName,
  connection: Connection,
  settings: SessionSettings,
): Promise<void> {
  const { family } = streamPorts[stream];
  const name = subsystemNameOf(stream);
  const limit = setTimeout(() => connection.end(), settings.configurationLimitMs);
  let opening: Opening | null = null;
  try {
    opening = await connection.read(readOpening(family));
    if (!opening) return;
    if (name) startAsked(device, name, opening);
    const subsystem = name ? subsystemOf(device, name) : undefined;
    const reading = readRequest(family, opening, { subsystem, where: stream });
    const request = await connection.read(reading);
    clearTimeout(limit);
    if (request) await answer(device, stream, request, connection, settings);
  } finally {
    clearTimeout(limit);
    if (name && opening?.stop) stop(device, name);
  }
}

async function answer(
  device: Device,
  stream: StreamName,
  request: Request,
  connection: Connection,
  settings: SessionSettings,
): Promise<void> {
  if (request.kind === "nothing") return;
  if (request.kind === "transfer") {
    const bytes = await transferOf(stream, request);
    if (bytes) await connection.write(bytes);
    settings.log(`${stream}: ${bytes?.byteLength ?? 0} bytes in a single transfer`);
    return;
  }
  if (isExcluded(device, stream)) {
    settings.log(`refused: ${stream} while the other depth stream runs`);
    return;
  }
  const { configuration } = request;
  const { family } = streamPorts[stream];
  const { camera } = device;
  const setup = { stream, configuration, videoFile: settings.videoFile, camera };
  settings.log(`${stream}: streams ${wordsOf(configuration)}`);
  device.streaming.add(stream);
  const source = await openSource(family, setup, device);
  const tally: Tally = { frames: 0, sent: 0 };
  try {
    await streamPackets({ device, stream, family, configuration, source, connection, tally });
  } finally {
    source.close();
    device.streaming.delete(stream);
    settings.log(`${stream}: sent ${tally.sent} of ${tally.frames} frames`);
  }
}

async function transferOf(
  stream: StreamName,
  { format }: Extract<Request, { kind: "transfer" }>,
): Promise<Uint8Array | null> {
  if (stream === "extended-video") return cameraList;
  if (stream === "extended-audio") return audioList;
  if (!Object.hasOwn(calibrations, stream)) return null;
  const { calibrationBytes } = await import("./world/calibrations.ts");
  return calibrationBytes(stream as keyof typeof calibrations, format ?? undefined);
}

function isExcluded({ faults, streaming }: Device, stream: StreamName): boolean {
  const other = { "depth-ahat": "depth-longthrow", "depth-longthrow": "depth-ahat" } as const;
  const rival = other[stream as keyof typeof other];
  return rival && streaming.has(rival) && faults.find("exclusive-depth", stream) !== null;
}

function wordsOf(configuration: object): string {
  const numbers = Object.entries(configuration).filter(([, value]) => typeof value === "number");
  return numbers.map(([name, value]) => `${name} ${value}`).join(", ");
}
