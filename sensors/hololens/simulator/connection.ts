/**
 * One client of the simulator. As on the device nothing is read that is not needed, and nothing is kept to
 * be sent later: a send waits until the network has taken it.
 */
import type { Socket } from "bun";
import { createByteReader } from "../wire/byte-reader.ts";
import type { Grammar } from "../wire/grammar.ts";

/** The client is gone: found out by sending, as the device finds out. */
export class ClientGone extends Error {
  override name = "ClientGone";
}

export interface Connection {
  /** Null: the client closed before the message's first byte. ProtocolError `truncated`: within it. */
  read<T>(grammar: Grammar<T>): Promise<T | null>;
  /** @returns whether it had to wait for the network. @throws ClientGone */
  write(bytes: Uint8Array): Promise<boolean>;
  /** What was written still arrives. Where bytes of the client are unread it sees a reset instead, as TCP has it. */
  end(): void;
  reset(): void;
  /** Ends early where this side ends the connection: only a send finds out that the client did. */
  sleep(ms: number): Promise<void>;
  /** Nothing can be sent any more. */
  readonly isClosed: boolean;
  /** A send waits for the network, because the client does not read. */
  readonly isBlocked: boolean;
}

/** What the listener tells of its socket. */
export interface SocketEvents {
  data(bytes: Uint8Array): void;
  drain(): void;
  /** The client will send no more. */
  end(): void;
  close(): void;
}

export type ClientSocket = Socket<SocketEvents | undefined>;

/** @param where names the port in errors */
export function createConnection(
  socket: ClientSocket,
  where: string,
): Connection & { events: SocketEvents } {
  const pieces: Uint8Array[] = [];
  let received = 0;
  let consumed = 0;
  let clientEnded = false;
  let isClosed = false;
  let isBlocked = false;
  let wake = () => {};
  let wakeSleeper = () => {};

  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });

  async function* incoming(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = pieces.shift();
      if (piece) {
        yield piece;
        continue;
      }
      if (clientEnded || isClosed) return;
      const news = changed();
      socket.resume();
      await news;
    }
  }

  const reader = createByteReader(incoming(), where);

  /** Counts what is taken, to know at the end whether bytes were left. */
  function* tallied<T>(grammar: Grammar<T>): Grammar<T> {
    let step = grammar.next();
    while (!step.done) {
      const bytes = yield step.value;
      consumed += bytes.byteLength;
      step = grammar.next(bytes);
    }
    return step.value;
  }

  const connection = {
    read: <T>(grammar: Grammar<T>) => reader.read(tallied(grammar)),

    async write(bytes: Uint8Array) {
      let waited = false;
      for (let at = 0; at < bytes.byteLength; ) {
        const news = changed();
        const taken = isClosed ? -1 : socket.write(bytes.subarray(at));
        if (taken < 0) throw new ClientGone(where);
        at += taken;
        if (at === bytes.byteLength) break;
        waited = true;
        isBlocked = true;
        await news;
        isBlocked = false;
      }
      return waited;
    },

    end() {
      if (received > consumed) {
        connection.reset();
        return;
      }
      isClosed = true;
      socket.end();
      wakeSleeper();
    },

    reset() {
      isClosed = true;
      socket.terminate();
      wakeSleeper();
    },

    sleep(ms: number) {
      if (isClosed) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.max(0, ms));
      wakeSleeper = () => {
        clearTimeout(timer);
        resolve();
      };
      return promise;
    },

    get isClosed() {
      return isClosed;
    },
    get isBlocked() {
      return isBlocked;
    },

    events: {
      data(bytes: Uint8Array) {
        // Until there is need for more.
        socket.pause();
        received += bytes.byteLength;
        pieces.push(bytes.slice());
        wake();
      },
      drain: () => wake(),
      end() {
        clientEnded = true;
        wake();
      },
      close() {
        isClosed = true;
        wake();
      },
    },
  };
  return connection;
}
