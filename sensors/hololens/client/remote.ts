/**
 * Questions and settings on one connection to the remote configuration port, one at a time. Settings have
 * no reply: a question after them shows that the server did not close the connection over them.
 */
import { type ByteReader, createByteReader } from "../wire/byte-reader.ts";
import {
  type CommandName,
  type CommandValues,
  encodeCommand,
  type ReplyOf,
  readReply,
  where,
} from "../wire/remote-configuration.ts";
import { type Connection, type ConnectOptions, connect } from "./connection.ts";
import { ConnectionLost } from "./lost.ts";

export interface Answered<Reply> {
  reply: Reply;
  /** CLOCK_MONOTONIC, ns: before the question was written, and when the answer was here. */
  askedNs: bigint;
  answeredNs: bigint;
}

export interface Remote {
  readonly address: string;
  /** Throws {@link ConnectionLost}, or a ProtocolError; the connection is of no more use then. */
  ask<N extends CommandName>(name: N, values: CommandValues<N>): Promise<Answered<ReplyOf<N>>>;
  /** Resolves when the server has come past it. */
  set<N extends CommandName>(name: N, values: CommandValues<N>): Promise<void>;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<unknown>;
  close(): void;
}

/** Answers come within a round trip; a server that serves somebody else, or sleeps, gives none. */
const answerMs = 3000;

export interface RemoteOptions extends ConnectOptions {
  nowNs: () => bigint;
  answerMs?: number | undefined;
}

export async function connectRemote(options: RemoteOptions): Promise<Remote> {
  const connection = await connect(options);
  const reader = createByteReader(connection.chunks, where);
  return remoteOf(connection, reader, options);
}

function remoteOf(connection: Connection, reader: ByteReader, options: RemoteOptions): Remote {
  const ended = Promise.withResolvers<unknown>();
  void connection.ended.then((loss) => ended.resolve(loss ?? new ConnectionLost("closed")));
  let before: Promise<unknown> = Promise.resolve();

  /** One after the other; what failed once fails from then on. */
  const inTurn = <T>(command: () => Promise<T>): Promise<T> => {
    const turn = before.then(command);
    before = turn;
    turn.catch((error) => {
      ended.resolve(error);
      connection.destroy();
    });
    return turn;
  };

  async function exchange<N extends CommandName>(name: N, values: CommandValues<N>) {
    const question = encodeCommand(name, values);
    const late = Promise.withResolvers<never>();
    const limitMs = options.answerMs ?? answerMs;
    const timer = setTimeout(() => late.reject(new ConnectionLost("silent")), limitMs);
    try {
      const askedNs = options.nowNs();
      connection.write(question);
      const reply = await Promise.race([reader.read(readReply(name, values)), late.promise]);
      if (reply === null) throw new ConnectionLost("closed");
      return { reply, askedNs, answeredNs: connection.arrivalNs } as Answered<ReplyOf<N>>;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    address: connection.address,
    ended: ended.promise,
    ask: (name, values) => inTurn(() => exchange(name, values)),
    set: (name, values) => {
      const command = encodeCommand(name, values);
      return inTurn(async () => {
        connection.write(command);
        await exchange("pvStatus", {});
      });
    },
    close: connection.destroy,
  };
}
