/** The single transfer of mode 2: so many bytes, then the end of the connection. */

import { type ConnectOptions, connect } from "../client/connection.ts";
import type { HololensConfig } from "../config.ts";
import { createByteReader } from "../wire/byte-reader.ts";
import { calibrations } from "../wire/calibration.ts";
import { encodeTransferRequest } from "../wire/configuration.ts";
import type { Grammar } from "../wire/grammar.ts";
import { type StreamName, streamPorts } from "../wire/ports.ts";

export type CalibratedStream = keyof typeof calibrations;

/** Sending megabytes over Wi-Fi; an empty transfer ends at once. */
const silenceMs = 10_000;

export function hasCalibration(stream: StreamName): stream is CalibratedStream {
  return Object.hasOwn(calibrations, stream);
}

/**
 * The transfer's bytes; null where the headset gave none (it closed the connection).
 *
 * @throws ConnectionLost, and ProtocolError for a transfer of another length
 */
export async function fetchCalibration(
  options: ConnectOptions,
  stream: CalibratedStream,
  { pv }: Pick<HololensConfig, "pv">,
): Promise<Uint8Array | null> {
  const connection = await connect(options);
  try {
    connection.limitSilence(silenceMs);
    connection.write(encodeTransferRequest(streamPorts[stream].family, pv));
    const reader = createByteReader(connection.chunks, `calibration of ${stream}`);
    const bytes = await reader.read(whole(calibrations[stream].bytes));
    if (bytes) await reader.end();
    return bytes;
  } finally {
    connection.destroy();
  }
}

function* whole(bytes: number): Grammar<Uint8Array> {
  return (yield bytes).slice();
}
