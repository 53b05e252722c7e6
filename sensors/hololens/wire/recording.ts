/**
 * Files of the device's own software: what a client received, as it was. A stream's configuration, then
 * its packets until the end; one that is cut short at the end does not count.
 */
import { type Opening, type Request, readOpening, readRequest } from "./configuration-reading.ts";
import { framingOf } from "./framing.ts";
import { createArrayReader, type Grammar, value } from "./grammar.ts";
import { encodePacket, type Packet, readPacket } from "./packet.ts";
import { type StreamName, streamOfPort, streamPorts } from "./ports.ts";
import { ProtocolError } from "./protocol-error.ts";
import { joined, listOf, record, u8, u16, u32 } from "./record.ts";

const magic = Buffer.from("HL2SSV23", "latin1");
const largestUserBytes = 16 * 1024 * 1024;
const header = record({ magic: listOf(u8, magic.length), port: u16, userBytes: u32 });
const where = "recording";

export interface RecordingStart {
  stream: StreamName;
  user: Uint8Array;
  opening: Opening;
  request: Extract<Request, { kind: "stream" }>;
}

export function* readRecordingStart(): Grammar<RecordingStart> {
  const { magic: mark, port, userBytes } = yield* value(header);
  if (!magic.equals(Uint8Array.from(mark))) {
    throw new ProtocolError({ where, what: "another first 8 bytes", allowed: magic.toString() });
  }
  const stream = streamOfPort(port);
  if (!stream) throw new ProtocolError({ where, what: `port ${port}`, allowed: "a stream's" });
  if (userBytes > largestUserBytes) {
    const allowed = `up to ${largestUserBytes}`;
    throw new ProtocolError({ where, what: `${userBytes} bytes of user data`, allowed });
  }
  const user = (yield userBytes).slice();
  const { family } = streamPorts[stream];
  const opening = yield* readOpening(family);
  const request = yield* readRequest(family, opening, { where });
  if (request.kind !== "stream") {
    const what = "a configuration that starts no stream";
    throw new ProtocolError({ where, what, allowed: "mode 0 or 1" });
  }
  return { stream, user, opening, request };
}

/** A whole file. Large ones: read the start and then packets with a byte reader. */
export function parseRecording(bytes: Uint8Array): RecordingStart & { packets: Packet[] } {
  const reader = createArrayReader(bytes, where);
  const start = reader.read(readRecordingStart());
  const framing = framingOf(streamPorts[start.stream].family, start.request.configuration, where);
  const packets: Packet[] = [];
  try {
    while (reader.left > 0) packets.push(reader.read(readPacket(framing)));
  } catch (error) {
    const cut = error instanceof ProtocolError && error.kind === "truncated";
    if (!cut) throw error;
  }
  return { ...start, packets };
}

/** @param configuration the message, as encodeConfiguration makes it */
export function encodeRecording(
  stream: StreamName,
  {
    configuration,
    user,
    packets,
  }: { configuration: Uint8Array; user: Uint8Array; packets: Packet[] },
): Uint8Array {
  const { port } = streamPorts[stream];
  const first = header.encode({ magic: [...magic], port, userBytes: user.byteLength });
  return joined(first, user, configuration, ...packets.map(encodePacket));
}
