/**
 * One TCP connection to a port of the headset: always read, so that the device's sends never block, and
 * never silent for longer than its timer allows.
 */
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { monotonicNs } from "../../../src/ring/ffi.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { ConnectionLost, lossOf } from "./lost.ts";

export interface Address {
  /** Name or IPv4 address. */
  host: string;
  port: number;
}

export interface ConnectOptions extends Address {
  /** Destroys the connection at once, also while it is being made. */
  signal: AbortSignal;
  connectMs?: number | undefined;
}

export interface Connection {
  /** What arrives, to its end. Throws {@link ConnectionLost} where that is no ordinary one. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** CLOCK_MONOTONIC, ns: when the chunk was here that was given out last. */
  readonly arrivalNs: bigint;
  /** Resolves at its end; null where that was an ordinary one. */
  readonly ended: Promise<Error | null>;
  /** The address that the name stood for. */
  readonly address: string;
  write(bytes: Uint8Array): void;
  /** No more is written; what was written is sent. */
  finish(): void;
  /** Silence of so many ms is the end, counted from now and from each chunk. */
  limitSilence(ms: number): void;
  destroy(): void;
}

export const connectTimeoutMs = 5000;
const keepAliveMs = 5000;
/** Nothing here leaves more unread: a peer that sends so much was not asked for it. */
const unreadMaxBytes = 16 * 1024 * 1024;

/** Throws {@link ConnectionLost}. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { host, port, signal, connectMs = connectTimeoutMs } = options;
  if (signal.aborted) throw new ConnectionLost("closed");
  const socket = connectSocket({ host, port, family: 4, allowHalfOpen: false });
  const made = Promise.withResolvers<void>();
  const timer = setTimeout(() => made.reject(new ConnectionLost("no-answer")), connectMs);
  const abort = () => {
    made.reject(new ConnectionLost("closed"));
    socket.destroy();
  };
  signal.addEventListener("abort", abort);
  socket.once("close", () => signal.removeEventListener("abort", abort));
  socket.once("connect", made.resolve);
  const failed = (error: Error) => made.reject(error);
  socket.on("error", failed);
  const beganMs = performance.now();
  try {
    await made.promise;
  } catch (error) {
    socket.destroy();
    throw await whyNotMade(lossOf(error, false), host, performance.now() - beganMs);
  } finally {
    clearTimeout(timer);
  }
  socket.off("error", failed);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  return connectionOf(socket, options);
}

/** A refusal takes a round trip; a router says after three seconds that nobody has an address. */
const refusalMaxMs = 1500;

/** Bun 1.4.5 says ECONNREFUSED whatever the operating system said. */
async function whyNotMade(loss: ConnectionLost, host: string, tookMs: number) {
  if (loss.reason !== "refused") return loss;
  const reached = tookMs < refusalMaxMs && (await isReached(host));
  return reached ? loss : new ConnectionLost("unreachable", { cause: loss });
}

/** Where that cannot be found out (a name that is gone meanwhile, no /proc): what Bun says is all there is. */
async function isReached(host: string): Promise<boolean> {
  try {
    const { address } = await lookup(host, { family: 4 });
    return (await hasRoute(address)) && !isNobodys(address);
  } catch {
    return true;
  }
}

/** Connecting a UDP socket sends nothing and needs a route. */
async function hasRoute(hostname: string): Promise<boolean> {
  try {
    const socket = await Bun.udpSocket({ connect: { hostname, port: 9 } });
    socket.close();
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENETUNREACH";
  }
}

/** Asked for in this network, and not answered: flags 0 (proc(5)). Whoever refuses a connection has answered. */
function isNobodys(address: string): boolean {
  const neighbours = readFileSync("/proc/net/arp", "utf8").split("\n");
  return neighbours.some((line) => {
    const [known, , flags] = line.split(/\s+/);
    return known === address && flags === "0x0";
  });
}

interface Chunk {
  bytes: Uint8Array;
  arrivalNs: bigint;
}

function connectionOf(socket: Socket, { host, port }: Address): Connection {
  let unread: Chunk[] = [];
  let unreadBytes = 0;
  let ended: { loss: Error | null } | null = null;
  let wake = () => {};
  let arrivalNs = monotonicNs();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const over = Promise.withResolvers<Error | null>();

  const end = (loss: Error | null) => {
    ended ??= { loss };
    over.resolve(loss);
    clearTimeout(silence);
    socket.destroy();
    wake();
  };
  socket.on("data", (bytes: Buffer) => {
    if (ended) return;
    unread.push({ bytes, arrivalNs: monotonicNs() });
    unreadBytes += bytes.byteLength;
    silence?.refresh();
    if (unreadBytes > unreadMaxBytes) end(unasked(`${host} port ${port}`));
    wake();
  });
  socket.on("error", (error) => end(lossOf(error, true)));
  socket.on("end", () => end(null));
  socket.on("close", () => end(null));

  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const batch = unread;
      unread = [];
      unreadBytes = 0;
      for (const chunk of batch) {
        arrivalNs = chunk.arrivalNs;
        yield chunk.bytes;
      }
      if (unread.length > 0) continue;
      if (ended?.loss) throw ended.loss;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    chunks: chunks(),
    ended: over.promise,
    get arrivalNs() {
      return arrivalNs;
    },
    address: socket.remoteAddress ?? "",
    write: (bytes) => void socket.write(bytes),
    finish: () => void socket.end(),
    limitSilence(ms) {
      clearTimeout(silence);
      if (!ended) silence = setTimeout(() => end(new ConnectionLost("silent")), ms);
    },
    destroy: () => end(null),
  };
}

function unasked(where: string): ProtocolError {
  const what = `more than ${unreadMaxBytes} bytes that nobody asked for`;
  return new ProtocolError({ where, what, allowed: "answers" });
}
