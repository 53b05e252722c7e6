/**
 * Packets: timestamp, size, payload, and a pose where one was asked for. Nothing marks where one begins
 * and no sum guards it, so a size that cannot be is the end of the connection.
 */
import { type Grammar, value } from "./grammar.ts";
import { poseBytes } from "./pose.ts";
import { ProtocolError } from "./protocol-error.ts";
import { floats, joined, record, u32, u64, viewOf } from "./record.ts";

export interface Packet {
  /** 100 ns, the device's performance counter. */
  timestamp: bigint;
  /** Of the bytes that were read: with a reusing reader valid until the next read. */
  payload: Uint8Array;
  /** Null where none was asked for. Look at poseIsValid before using it. */
  pose: Float32Array | null;
}

/** What can be known of a packet before its payload is there. */
export interface Framing {
  /** For errors: the stream. */
  where: string;
  pose: boolean;
  smallest: number;
  largest: number;
  /** The payload is a multiple of this. */
  unit: number;
}

const header = record({ timestamp: u64, payloadBytes: u32 });
const matrix = floats(16);

export function* readPacket(framing: Framing): Grammar<Packet> {
  const { timestamp, payloadBytes } = yield* value(header);
  checkSize(payloadBytes, framing);
  // In one piece: what a yield gave is valid until the next one only.
  const rest = yield payloadBytes + (framing.pose ? poseBytes : 0);
  return {
    timestamp,
    payload: rest.subarray(0, payloadBytes),
    pose: framing.pose ? matrix.read(viewOf(rest), payloadBytes) : null,
  };
}

function checkSize(bytes: number, { where, smallest, largest, unit }: Framing): void {
  if (bytes >= smallest && bytes <= largest && bytes % unit === 0) return;
  const range = smallest === largest ? `exactly ${largest}` : `${smallest} to ${largest}`;
  const allowed = unit === 1 ? range : `${range}, in multiples of ${unit}`;
  throw new ProtocolError({ where, what: `a payload of ${bytes} bytes`, allowed });
}

export function encodePacket({ timestamp, payload, pose }: Packet): Uint8Array<ArrayBuffer> {
  const first = header.encode({ timestamp, payloadBytes: payload.byteLength });
  const last = new Uint8Array(pose ? poseBytes : 0);
  if (pose) matrix.write(viewOf(last), 0, pose);
  return joined(first, payload, last);
}
