/** Packets as a broken encoder or network would make them. */
import { inspectAccessUnit } from "../wire/access-unit.ts";
import { videoCodec } from "../wire/codes.ts";
import { viewOf } from "../wire/record.ts";
import type { Streaming } from "./streaming.ts";

/** The middle is overwritten: header and footer of whatever it is stay. */
export function damaged(payload: Uint8Array): Uint8Array {
  const copy = payload.slice();
  const third = Math.floor(copy.byteLength / 3);
  for (let at = third; at < 2 * third; at++) copy[at] = (at * 151) & 0xff;
  return copy;
}

const sizeOffset = 8;

export function withSize(packet: Uint8Array, bytes: number): Uint8Array {
  viewOf(packet).setUint32(sizeOffset, bytes, true);
  return packet;
}

/** False also where the payload is no access unit. */
export function isKeyFrame(
  { family, configuration }: Pick<Streaming, "family" | "configuration">,
  payload: Uint8Array,
): boolean {
  if (!("profile" in configuration)) return false;
  if (family === "microphone" || family === "extended-audio") return false;
  const codec = videoCodec(configuration.profile);
  if (codec === "raw") return false;
  return inspectAccessUnit(codec, family === "ahat" ? abPartOf(payload) : payload).keyFrame;
}

/** Two sizes, depth, then the coded picture. */
function abPartOf(payload: Uint8Array): Uint8Array {
  const sizes = 8;
  return payload.byteLength < sizes
    ? payload
    : payload.subarray(sizes + viewOf(payload).getUint32(0, true));
}
