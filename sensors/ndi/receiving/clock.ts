/** The sender's clock: it stamps each frame when it sends it, and answers no probe. Pictures and sound share it. */
import { createArrivalClock } from "../../../src/clock/arrival-clock.ts";
import type { DeviceClock, StreamClock } from "../../../src/clock/device-clock.ts";
import type { FrameMeta } from "../../../src/ring.ts";
import type { NdiConfig } from "../config.ts";
import { undefinedTime } from "../libndi/structs.ts";

/** Of timestamps and timecodes. */
export const ticksPerSecond = 10_000_000;
export const ticksUnit = "100 ns";

export const ndiClock = {
  name: "UTC of the NDI sender",
  unit: ticksUnit,
  epoch: "1970-01-01T00:00:00Z",
  method: "one-way",
} as const;

export function createNdiClock(): DeviceClock {
  return createArrivalClock({ ticksPerSecond });
}

/** Senders of NDI before version 3 give none. */
export function isKnown(timestamp: bigint): boolean {
  return timestamp > 0n && timestamp < undefinedTime;
}

/** What is known of a frame's times by its timestamp. Call it once for a frame, in order of arrival. */
export function stampOf(
  clock: DeviceClock,
  stamps: StreamClock,
  timestamp: bigint,
  arrivalNs: bigint,
): Pick<FrameMeta, "deviceTime" | "captureTimeNs" | "timeErrorNs" | "clockEpoch"> {
  if (!isKnown(timestamp)) return { clockEpoch: clock.state().epoch };
  return { deviceTime: timestamp, ...stamps.map(timestamp, arrivalNs) };
}

export function lagOf({ lagMs }: NdiConfig, stream: "video" | "audio"): bigint {
  return BigInt(Math.round((lagMs[stream] ?? 0) * 1e6));
}
