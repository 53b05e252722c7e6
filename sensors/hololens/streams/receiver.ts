/** What becomes of a stream's packets: one receiver for each stream, made once in its process. */

import type { StreamClock } from "../../../src/clock/device-clock.ts";
import type { StreamSpec } from "../../../src/ring/descriptor.ts";
import type { PlannedStream, SensorContext } from "../../sensor.ts";
import type { HololensConfig } from "../config.ts";
import type { Configurations } from "../wire/configuration.ts";
import type { Packet } from "../wire/packet.ts";
import type { StreamFamily, StreamName } from "../wire/ports.ts";

export interface Arrived extends Packet {
  /** CLOCK_MONOTONIC, ns: when its last byte was here. */
  arrivalNs: bigint;
}

export interface ReceiverSetup {
  context: SensorContext;
  config: HololensConfig;
  stream: StreamName;
  /** Name of the ring: `hl.pv`. A second one adds its own part: `hl.depth-ahat.ab`. */
  ring: string;
  /** Call `map` once for each published packet; both rings of one packet carry the same stamp. */
  clock: StreamClock;
  /** The descriptor's `clock`, `lagNs` and `source`, the same for all rings of the stream. */
  described: Pick<StreamSpec, "clock" | "lagNs" | "source">;
}

/** Lives over reconnects, with its rings. */
export interface Receiver {
  /** A connection begins, or packets were left out: what was decoded before says nothing about what comes. */
  begin(): void;
  /**
   * Publishes what the packet holds. A ProtocolError `frame` leaves this packet out and is counted, any
   * other one ends the connection.
   * @param behind packets that are here already after this one: where each refers to the one before,
   *   decode and do not publish
   */
  take(packet: Arrived, behind: number): void;
  /**
   * Where packets can be left out when decoding is too slow. `any`: each stands alone. `to-key-frame`: only
   * up to one that does. `none`: cheap and wanted whole.
   */
  readonly leaveOut: "any" | "to-key-frame" | "none";
  /** Whether decoding can begin with this payload; asked where `leaveOut` is `to-key-frame`. */
  standsAlone?(payload: Uint8Array): boolean;
  close(): void;
}

/** How one family of streams is asked for, announced and received. */
export interface StreamReceiving<F extends StreamFamily> {
  configuration(config: HololensConfig, stream: StreamName): Configurations[F];
  rings(config: HololensConfig, ring: string, stream: StreamName): PlannedStream[];
  /** Awaited before the first connection: it may load libraries. */
  open(setup: ReceiverSetup): Promise<Receiver>;
}
