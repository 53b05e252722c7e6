/** What the vectors of packets have in common: framing, timestamp, size, pose, and the way back. */
import { expect } from "bun:test";
import type { Configurations } from "../sensors/hololens/wire/configuration.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { framingOf } from "../sensors/hololens/wire/framing.ts";
import { parseExactly } from "../sensors/hololens/wire/grammar.ts";
import {
  encodePacket,
  type Framing,
  type Packet,
  readPacket,
} from "../sensors/hololens/wire/packet.ts";
import { streamOfPort, streamPorts } from "../sensors/hololens/wire/ports.ts";
import { bytesOf, hexOf, rows, type Vector } from "./hololens-wire-vectors.ts";

/** Any payload: of the packets that belong to no stream. */
export const anything: Omit<Framing, "pose"> = {
  where: "test",
  smallest: 0,
  largest: 1 << 20,
  unit: 1,
};

export function framingIn({ port, hasPose }: Vector, given: object = {}): Framing {
  const stream = streamOfPort(port ?? 0);
  if (!stream) return { ...anything, pose: hasPose ?? false };
  const { family } = streamPorts[stream];
  const mode = hasPose ? 1 : 0;
  const configuration = configurationOf(family as "vlc", { mode, ...given });
  return framingOf(family, configuration as Configurations["pv"]);
}

function packetIn(one: Vector, given: object = {}): Packet {
  return parseExactly(readPacket(framingIn(one, given)), bytesOf(one), one.name);
}

/** What all packets have. Gives the packet back for the rest. */
export function holdPacket(one: Vector, given: object = {}): Packet {
  const packet = packetIn(one, given);
  const { timestamp, payloadSize, pose } = one.fields;
  expect(String(packet.timestamp)).toBe(timestamp);
  expect(packet.payload.byteLength).toBe(payloadSize);
  expect(packet.pose && rows(packet.pose)).toEqual(pose ?? null);
  expect(hexOf(encodePacket(packet))).toBe(hexOf(bytesOf(one)));
  return packet;
}

/** A test of one vector, by its name. */
export type Holds = Record<string, (one: Vector) => void | Promise<void>>;
