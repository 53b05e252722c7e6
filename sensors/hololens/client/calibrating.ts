/** When a stream's calibration is fetched: once for each time the headset was started. */

import type { SensorContext } from "../../sensor.ts";
import { cachedCalibration, keepCalibration } from "../calibration/cache.ts";
import { calibrationOf, type Origin } from "../calibration/document.ts";
import { type CalibratedStream, fetchCalibration, hasCalibration } from "../calibration/fetch.ts";
import type { HololensConfig } from "../config.ts";
import type { StreamReceiving } from "../streams/receiver.ts";
import { calibrations } from "../wire/calibration.ts";
import type { StreamFamily, StreamName } from "../wire/ports.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import type { ConnectOptions } from "./connection.ts";
import type { DeviceLink } from "./device-link.ts";
import { ConnectionLost } from "./lost.ts";
import { Restarted, SessionLost } from "./session.ts";

export interface Calibrating {
  /** Before a session; at once where it is known. Throws SessionLost where the headset cannot be reached. */
  fetch(): Promise<void>;
  /** A packet's time. Throws {@link Restarted} where it shows that what is known is of another start. */
  saw(ticks: bigint): void;
}

interface Part {
  config: HololensConfig;
  context: SensorContext;
  stream: StreamName;
  receiving: StreamReceiving<StreamFamily>;
  link: DeviceLink;
  where: ConnectOptions;
}

/** Ticks that run back by less are packets that overtook each other. */
const rebootTicks = 10_000_000n;

export function createCalibrating(part: Part): Calibrating {
  const { stream, link } = part;
  let newest = 0n;
  /** Fetched, and in which epoch of the headset's clock where that is known. */
  let known: { epoch: number | null } | null = null;
  let fresh = false;

  return {
    async fetch() {
      fresh = false;
      if (!hasCalibration(stream)) return;
      const { epoch } = link;
      if (known) known.epoch ??= epoch;
      if (known && known.epoch === epoch) return;
      fresh = true;
      known = (await calibrate(part, stream)) ? { epoch } : null;
    },
    saw(ticks) {
      const restarted = ticks < newest - rebootTicks;
      if (restarted || ticks > newest) newest = ticks;
      if (!restarted || fresh || !known) return;
      known = null;
      throw new Restarted(
        "the headset was restarted: its clock began anew, and its calibration is asked for again",
      );
    },
  };
}

/** False: it came from the cache, or not at all. */
async function calibrate(part: Part, stream: CalibratedStream): Promise<boolean> {
  const { config, context, where } = part;
  const key = { host: config.host, stream };
  const bytes = await given(part, stream);
  if (bytes) {
    offer(part, stream, bytes, { from: "device" });
    await keepCalibration(key, bytes).catch((error) =>
      context.log.warn(`the calibration cannot be kept for another time: ${error.message}`),
    );
    return true;
  }
  const cached = await cachedCalibration(key, calibrations[stream].bytes);
  if (cached) offer(part, stream, cached.bytes, { from: "cache", fetched: cached.fetched });
  const instead = cached
    ? `that of ${cached.fetched.toISOString()} is offered`
    : "there is none from before";
  context.log.warn(`port ${where.port} gives no calibration; ${instead}`);
  return false;
}

/** Null: the headset has none for us, which does not stop the stream. */
async function given(part: Part, stream: CalibratedStream): Promise<Uint8Array | null> {
  const { context, where, config } = part;
  try {
    return await fetchCalibration(where, stream, config);
  } catch (error) {
    if (error instanceof ProtocolError) {
      context.log.warn(`the calibration is not usable: ${error.message}`);
      return null;
    }
    if (error instanceof ConnectionLost && error.reason === "reset") return null;
    throw error instanceof ConnectionLost ? new SessionLost("calibrating", error) : error;
  }
}

function offer(part: Part, stream: CalibratedStream, bytes: Uint8Array, origin: Origin): void {
  const { config, context, receiving } = part;
  const calibration = calibrationOf(stream, bytes, origin);
  for (const { name } of receiving.rings(config, `${config.name}.${stream}`, stream)) {
    context.calibration(name, calibration);
  }
}
