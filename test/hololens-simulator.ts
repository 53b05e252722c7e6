/** A simulated headset of a test's own, and clients that look at every byte of it. */
import { afterAll } from "bun:test";
import { connect } from "node:net";
import type { PortName } from "../sensors/hololens/simulator/fault-kinds.ts";
import { PortTaken } from "../sensors/hololens/simulator/port.ts";
import {
  portOf,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../sensors/hololens/simulator/server.ts";
import { createByteReader } from "../sensors/hololens/wire/byte-reader.ts";
import {
  type Configurations,
  encodeConfiguration,
} from "../sensors/hololens/wire/configuration.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { framingOf } from "../sensors/hololens/wire/framing.ts";
import type { Grammar } from "../sensors/hololens/wire/grammar.ts";
import { type Packet, readPacket } from "../sensors/hololens/wire/packet.ts";
import { type StreamFamily, type StreamName, streamPorts } from "../sensors/hololens/wire/ports.ts";
import { encodeStart } from "../sensors/hololens/wire/subsystem.ts";

type Options = Omit<SimulatorOptions, "ports">;

/** So many headsets fit below port 15800, where those of other files of tests begin. */
const blocks = 300;
/** Of this process alone: other files of tests run beside it. */
let offset = 0;

/** Of the whole file of tests; ended with it. */
export async function simulate(options: Options = {}): Promise<Simulator> {
  const simulator = await startOnFreePorts(options);
  afterAll(() => simulator.close());
  return simulator;
}

/** Two process ids may come to the same block of ports, and programs of other tests listen too: then the next. */
async function startOnFreePorts(options: Options): Promise<Simulator> {
  let taken: unknown;
  for (let i = 0; i < blocks; i++) {
    offset = 2_000 + ((process.pid + i) % blocks) * 30;
    try {
      return await startSimulator({ ports: offset, ...options });
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      taken = error;
    }
  }
  throw taken;
}

export type Ending = "fin" | "reset";

export interface Client {
  send(...parts: Uint8Array[]): void;
  /** No more will be sent. Resolves when all of it is on its way. */
  finish(): Promise<void>;
  read<T>(grammar: Grammar<T>): Promise<T | null>;
  /** Reads no more, until it is resumed. */
  pause(): void;
  resume(): void;
  /** All bytes until the end. */
  rest(): Promise<Uint8Array>;
  /** How the simulator ended it. */
  ending: Promise<Ending>;
  connected: Promise<void>;
  close(): void;
}

export function clientOf(name: PortName): Client {
  const socket = connect({ port: portOf(name) + offset, host: "127.0.0.1", allowHalfOpen: true });
  socket.setNoDelay(true);
  const pieces: Uint8Array[] = [];
  let wake = () => {};
  let ended = false;
  const { promise: ending, resolve } = Promise.withResolvers<Ending>();
  const { promise: connected, resolve: isConnected } = Promise.withResolvers<void>();
  const end = (how: Ending) => {
    ended = true;
    resolve(how);
    isConnected();
    wake();
  };
  socket.on("connect", isConnected);
  socket.on("data", (piece: Buffer) => {
    pieces.push(piece);
    wake();
  });
  socket.on("end", () => end("fin"));
  socket.on("error", () => end("reset"));
  socket.on("close", () => end("reset"));

  async function* incoming(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = pieces.shift();
      if (piece) yield piece;
      else if (ended) return;
      else await new Promise<void>((resume) => (wake = resume));
    }
  }
  const reader = createByteReader(incoming(), name);

  return {
    send(...parts) {
      for (const part of parts) socket.write(part);
    },
    finish: () => new Promise((resolve) => socket.end(resolve)),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    read: (grammar) => reader.read(grammar),
    async rest() {
      await ending;
      return Buffer.concat(pieces.splice(0));
    },
    ending,
    connected,
    close: () => void socket.destroy(),
  };
}

export interface StreamClient<F extends StreamFamily = StreamFamily> extends Client {
  configuration: Configurations[F];
  packet(): Promise<Packet | null>;
}

/** Asks as the device's own client does where nothing else is said. */
export function stream<F extends StreamFamily>(
  name: StreamName,
  given: Partial<Configurations[F]> = {},
): StreamClient<F> {
  const family = streamPorts[name].family as F;
  const configuration = configurationOf(family, given);
  const client = clientOf(name);
  client.send(encodeConfiguration(family, configuration));
  const framing = framingOf(family, configuration, name);
  return { ...client, configuration, packet: () => client.read(readPacket(framing)) };
}

/** Says something and waits until the simulator has ended the connection. */
export async function say(name: PortName, bytes: Uint8Array): Promise<Ending> {
  const client = clientOf(name);
  client.send(bytes);
  client.finish();
  const ending = await client.ending;
  client.close();
  return ending;
}

export function startCamera(name: StreamName = "pv"): Promise<Ending> {
  return say(name, encodeStart(name === "pv" ? {} : { globalOpacity: 0 }));
}
