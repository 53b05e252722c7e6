/** A port of the device: one client is served to the end, those who come meanwhile wait in their order. */
import type { TCPSocketListener } from "bun";
import { portOwner } from "../../../src/port-owner.ts";
import {
  type ClientSocket,
  type Connection,
  createConnection,
  type SocketEvents,
} from "./connection.ts";

export class PortTaken extends Error {
  override name = "PortTaken";
}

export interface PortSettings {
  host: string;
  port: number;
  /** For errors and the log. */
  name: string;
  /** Resolves when the client is done with; the connection is closed then, whatever came of it. */
  serve(connection: Connection): Promise<void>;
  /** Awaited before each client. */
  free(): Promise<void>;
}

export interface DevicePort {
  readonly port: number;
  readonly isServing: boolean;
  /** The client that is served does not read. */
  readonly isBlocked: boolean;
  readonly waiting: number;
  /** Clients served so far, the present one included. */
  readonly served: number;
  open(): void;
  /** New connections are refused, present ones reset. Resolves when the last one is done with. */
  close(): Promise<void>;
}

/** The kernel's queue has an end too; who comes later is turned away. */
const mostWaiting = 100;

export function createPort({ host, port, name, serve, free }: PortSettings): DevicePort {
  let listener: TCPSocketListener<SocketEvents | undefined> | null = null;
  const queue: Connection[] = [];
  let current: Connection | null = null;
  let served = 0;
  let done = Promise.resolve();

  function arrived(socket: ClientSocket): void {
    socket.pause();
    if (queue.length >= mostWaiting) {
      socket.terminate();
      return;
    }
    const connection = createConnection(socket, name);
    socket.data = connection.events;
    socket.setNoDelay(true);
    queue.push(connection);
    if (!current) done = serveAll();
  }

  async function serveAll(): Promise<void> {
    for (current = queue.shift() ?? null; current; current = queue.shift() ?? null) {
      await free();
      served++;
      await serve(current);
      if (!current.isClosed) current.end();
    }
  }

  return {
    port,
    get isServing() {
      return current !== null;
    },
    get isBlocked() {
      return current?.isBlocked ?? false;
    },
    get waiting() {
      return queue.length;
    },
    get served() {
      return served;
    },

    open() {
      listener ??= listening(host, port, arrived);
    },

    close() {
      listener?.stop();
      listener = null;
      for (const connection of queue.splice(0)) connection.reset();
      current?.reset();
      return done;
    },
  };
}

function listening(hostname: string, port: number, open: (socket: ClientSocket) => void) {
  try {
    return Bun.listen<SocketEvents | undefined>({
      hostname,
      port,
      allowHalfOpen: true,
      socket: {
        open,
        data: (socket, bytes) => socket.data?.data(bytes),
        drain: (socket) => socket.data?.drain(),
        end: (socket) => socket.data?.end(),
        close: (socket) => socket.data?.close(),
        error: (socket) => socket.data?.close(),
      },
    });
  } catch (error) {
    throw new PortTaken(takenWords(hostname, port, error as Error), { cause: error });
  }
}

function takenWords(host: string, port: number, error: Error): string {
  const owner = portOwner(port);
  const who = owner ? ` by process ${owner.pid} (${owner.command})` : "";
  switch ((error as { code?: string }).code) {
    case "EADDRINUSE":
      return `Port ${port} is taken${who}. End that one, or move all ports with --ports.`;
    case "EADDRNOTAVAIL":
      return `"${host}" is no address of this machine. Choose one with --host, for instance 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}, port ${port}: ${error.message}`;
  }
}
