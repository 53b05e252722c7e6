/** The headset's streams that are measured, and what the simulator sends on each: encoded beforehand, as the client asks for it. */
import { join } from "node:path";
import { type HololensConfig, hololensConfig } from "../sensors/hololens/config.ts";
import { createDevice } from "../sensors/hololens/simulator/device.ts";
import { createFaults } from "../sensors/hololens/simulator/faults.ts";
import type { Source } from "../sensors/hololens/simulator/source.ts";
import { openSource } from "../sensors/hololens/simulator/sources.ts";
import { cameraPoseAt } from "../sensors/hololens/simulator/world/motion.ts";
import { receivingOf } from "../sensors/hololens/streams/families.ts";
import type { Packet } from "../sensors/hololens/wire/packet.ts";
import { type StreamName, streamPorts } from "../sensors/hololens/wire/ports.ts";

export interface StreamCase {
  /** Row of the tables. */
  name: string;
  stream: StreamName;
  /** Keys of the sensor beside host and name. */
  keys: object;
  /** Of a round: all that the simulator has until it begins anew. The first one stands alone. */
  packets: number;
  /** What the receiver is held against. */
  bare: string;
}

const scaled = "decoded, scaled into private memory";
const copied = "memcpy";
const full = { pv: { width: 1920, height: 1080 } };
const zdepth = { ahat: { depthProfile: "zdepth" } };

// biome-ignore format: a table
export const streamCases: StreamCase[] = [
  { name: "pv 1080p30, H.265, bgr24", stream: "pv", keys: full, packets: 158, bare: scaled },
  { name: "pv 720p30, H.265, bgr24", stream: "pv", keys: {}, packets: 158, bare: scaled },
  { name: "vlc-leftfront, H.265, gray", stream: "vlc-leftfront", keys: {}, packets: 120, bare: scaled },
  { name: "depth-ahat, H.265", stream: "depth-ahat", keys: {}, packets: 180, bare: "decoded" },
  { name: "depth-ahat, Zdepth and H.265", stream: "depth-ahat", keys: zdepth, packets: 180, bare: "decoded" },
  { name: "depth-longthrow, PNG", stream: "depth-longthrow", keys: {}, packets: 20, bare: "decoded" },
  { name: "microphone, AAC", stream: "microphone", keys: {}, packets: 375, bare: "decoded, copied into private memory" },
  { name: "accelerometer, 93 samples", stream: "accelerometer", keys: {}, packets: 40, bare: copied },
  { name: "gyroscope, 315 samples", stream: "gyroscope", keys: {}, packets: 40, bare: copied },
  { name: "magnetometer, 11 samples", stream: "magnetometer", keys: {}, packets: 40, bare: copied },
  { name: "spatial-input", stream: "spatial-input", keys: {}, packets: 60, bare: copied },
  { name: "eye-tracker", stream: "eye-tracker", keys: {}, packets: 60, bare: copied },
];

/** The goal for CPU time is that of this one. */
export const goalCase = streamCases[0] as StreamCase;

/** What is held against `bare`. */
export const receiverName = "the receiver, into the ring";

export const sensorName = "hl";
export const film = join(import.meta.dir, "../test/data/bbb-720p.mp4");

export function configOf({ keys, stream }: Pick<StreamCase, "keys" | "stream">): HololensConfig {
  const base = { kind: "hololens", name: sensorName, host: "127.0.0.1", streams: [stream] };
  return hololensConfig.parse({ ...base, ...keys });
}

/** Packets as they would arrive, and the seconds between two. */
export async function packetsOf(
  measured: StreamCase,
): Promise<{ packets: Packet[]; periodSeconds: number }> {
  const { stream } = measured;
  const faults = createFaults(() => {});
  const device = createDevice({ offsetTicks: 36_000_000_000n, driftPpm: 0 }, faults);
  const { family } = streamPorts[stream];
  const configuration = receivingOf(family).configuration(configOf(measured), stream);
  const setup = { stream, configuration, videoFile: film, camera: device.camera };
  const source = await openSource(family, setup, device);
  try {
    return {
      packets: await encoded(source, measured, device.clock.ticks()),
      periodSeconds: source.periodSeconds,
    };
  } finally {
    source.close();
    faults.close();
  }
}

async function encoded(
  { periodSeconds, payload }: Source,
  { packets: count, stream }: StreamCase,
  beginTicks: bigint,
): Promise<Packet[]> {
  const packets: Packet[] = [];
  const hasPose = stream !== "microphone" && stream !== "spatial-input";
  for (let index = 0; index < count; index++) {
    const seconds = index * periodSeconds;
    const timestamp = beginTicks + BigInt(Math.round(seconds * 1e7));
    const bytes = await payload({ index, ticks: timestamp, seconds });
    if (bytes === null) throw new Error(`${stream}: no payload ${index}`);
    // Of its own memory: sources may use theirs again.
    const pose = hasPose ? cameraPoseAt("pv", seconds) : null;
    packets.push({ timestamp, payload: bytes.slice(), pose });
  }
  return packets;
}
