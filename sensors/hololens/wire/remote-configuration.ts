/**
 * The port that answers: any number of commands on one connection, in order. Most have no reply, so a
 * client never learns whether they did anything.
 */
import { createArrayReader, type Grammar, value } from "./grammar.ts";
import { ProtocolError } from "./protocol-error.ts";
import { type Field, joined, listOf, u8, viewOf } from "./record.ts";
import { commands, type Parameter, type Reply } from "./remote-commands.ts";

type Commands = typeof commands;
export type CommandName = keyof Commands;

type ValueOf<P> = P extends Parameter<infer T> ? T : never;
export type CommandValues<N extends CommandName> = {
  [P in keyof Commands[N]["parameters"]]: ValueOf<Commands[N]["parameters"][P]>;
};

type ReplyItem<R> = R extends Reply<infer T> ? T : never;
/** One for each point or time that was asked about; otherwise the value itself. */
export type ReplyOf<N extends CommandName> = N extends "mapCameraPoints" | "rigNodePoses"
  ? ReplyItem<Commands[N]["reply"]>[]
  : ReplyItem<Commands[N]["reply"]>;

export const where = "remote configuration";
const names = Object.keys(commands) as CommandName[];

interface Command {
  id: number;
  parameters: Record<string, Parameter<unknown>>;
  reply: Reply<unknown> | null;
  needsResearchMode: boolean;
}

function commandOf(name: CommandName): Command {
  return commands[name] as Command;
}

/** Throws RangeError for values that the server would ignore, or close the connection for. */
export function encodeCommand<N extends CommandName>(
  name: N,
  values: CommandValues<N>,
): Uint8Array {
  const problem = problemOf(name, values);
  if (problem) throw new RangeError(problem);
  const { id, parameters } = commandOf(name);
  const given = values as Record<string, unknown>;
  const parts = Object.entries(parameters).map(([key, parameter]) => parameter.encode(given[key]));
  return joined(Uint8Array.of(id), ...parts);
}

/** What makes a server ignore the command, in words; null: nothing. */
export function problemOf<N extends CommandName>(name: N, values: CommandValues<N>): string | null {
  const given = values as Record<string, unknown>;
  for (const [key, parameter] of Object.entries(commandOf(name).parameters)) {
    const problem = parameter.problem(given[key]);
    if (problem) return `${name} ${key} ${problem}`;
  }
  return null;
}

export type RemoteCommand = {
  [N in CommandName]: { name: N; values: CommandValues<N> };
}[CommandName];

/** How the server reads one. A ProtocolError is its reason to close. */
export function* readCommand({ researchMode }: { researchMode: boolean }): Grammar<RemoteCommand> {
  const id = yield* value(u8);
  const name = names.find((one) => commands[one].id === id);
  if (!name)
    throw new ProtocolError({ where, what: `command ${id}`, allowed: "0 to 25, 32 to 34" });
  const { parameters, needsResearchMode } = commandOf(name);
  if (needsResearchMode && !researchMode) {
    throw new ProtocolError({ where, what: name, allowed: "that with Research Mode on" });
  }
  const values: Record<string, unknown> = {};
  for (const [key, parameter] of Object.entries(parameters)) {
    values[key] = yield* parameter.grammar(`${where} ${name} ${key}`);
  }
  return { name, values } as RemoteCommand;
}

/** Whether the server answers at all. */
export function hasReply(name: CommandName): boolean {
  return commandOf(name).reply !== null;
}

/** @param values of the command: they say how long the reply is */
export function* readReply<N extends CommandName>(
  name: N,
  values: CommandValues<N>,
): Grammar<ReplyOf<N>> {
  return (yield* value(replyField(name, values))) as ReplyOf<N>;
}

export function encodeReply<N extends CommandName>(
  name: N,
  values: CommandValues<N>,
  reply: ReplyOf<N>,
): Uint8Array {
  const field = replyField(name, values);
  const bytes = new Uint8Array(field.bytes);
  field.write(viewOf(bytes), 0, reply);
  return bytes;
}

function replyField(name: CommandName, values: object): Field<unknown> {
  const { reply } = commandOf(name);
  if (!reply) throw new RangeError(`${name} has no reply`);
  if (!reply.forEach) return reply.item;
  const asked = (values as Record<string, unknown[]>)[reply.forEach] ?? [];
  return listOf(reply.item, asked.length);
}

/** Whole commands that lie in an array. */
export function parseCommands(bytes: Uint8Array): RemoteCommand[] {
  const reader = createArrayReader(bytes, where);
  const read: RemoteCommand[] = [];
  while (reader.left > 0) read.push(reader.read(readCommand({ researchMode: true })));
  return read;
}
