// Vectors of configuration, source and remote configuration messages, in both directions.
import { expect, test } from "bun:test";
import {
  type Configurations,
  encodeConfiguration,
  encodeTransferRequest,
} from "../sensors/hololens/wire/configuration.ts";
import { parseConfiguration } from "../sensors/hololens/wire/configuration-reading.ts";
import { createArrayReader, parseExactly } from "../sensors/hololens/wire/grammar.ts";
import {
  type Mode,
  type StreamFamily,
  streamOfPort,
  streamPorts,
} from "../sensors/hololens/wire/ports.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { commands, packRegion, unpackRegion } from "../sensors/hololens/wire/remote-commands.ts";
import {
  type CommandName,
  encodeCommand,
  encodeReply,
  hasReply,
  parseCommands,
  problemOf,
  readCommand,
  readReply,
} from "../sensors/hololens/wire/remote-configuration.ts";
import { encodeStart, encodeStop } from "../sensors/hololens/wire/subsystem.ts";
import {
  bytesOf,
  hexOf,
  plain,
  rows,
  type Vector,
  vector,
  vectorsOf,
} from "./hololens-wire-vectors.ts";

function familyOf({ port, name }: Vector): StreamFamily {
  const stream = streamOfPort(port ?? 0);
  if (!stream) throw new Error(`${name}: port ${port}`);
  return streamPorts[stream].family;
}

/** A vector's members by our names. */
function configurationIn({ fields }: Vector): object {
  const { optionCount: _, options, profileZ, profileAB, ...rest } = fields;
  const list = options as { key: string; value: string }[] | undefined;
  return {
    ...rest,
    ...(profileZ === undefined ? {} : { depthProfile: profileZ }),
    ...(profileAB === undefined ? {} : { profile: profileAB }),
    ...(list
      ? { options: list.map(({ key, value }) => ({ key: BigInt(key), value: BigInt(value) })) }
      : {}),
  };
}

function holdConfiguration(one: Vector): void {
  const family = familyOf(one);
  const configuration = configurationIn(one);
  const { request } = parseConfiguration(family, bytesOf(one));
  const { mode, mixerMode, ...format } = one.fields;
  if (mode !== 2 && mixerMode !== 3) {
    expect(request).toEqual({ kind: "stream", configuration } as typeof request);
  } else {
    expect(request).toEqual({ kind: "transfer", format: family === "pv" ? format : null });
  }
  const encoded =
    mode === 2
      ? encodeTransferRequest(family, format)
      : encodeConfiguration(family as "pv", configuration as Configurations["pv"]);
  expect(hexOf(encoded)).toBe(hexOf(bytesOf(one)));
}

function holdControl(one: Vector): void {
  const { mode, ...start } = one.fields;
  const { opening, request } = parseConfiguration(familyOf(one), bytesOf(one));
  expect(request).toEqual({ kind: "nothing" });
  const stop = one.name.endsWith("/stop");
  const low = (mode & 3) as Mode;
  expect(opening).toEqual({ mode: low, start: stop ? null : start, stop });
  expect(hexOf(stop ? encodeStop() : encodeStart(start))).toBe(hexOf(bytesOf(one)));
}

/** Of a vector, but no parameters of their own: what the bits of a region's flags say, a list's length. */
const derived = [
  ...["command", "count", "clear", "set", "autoExposure", "autoFocus", "boundsNormalized"],
  ...["type", "weight"],
];

function holdCommand(one: Vector): void {
  const [parsed, ...more] = parseCommands(bytesOf(one));
  if (!parsed) throw new Error("no command");
  expect(more).toEqual([]);
  expect(commands[parsed.name].id as number).toBe(one.fields.command);
  // Ours have names of their own; the order is the one on the wire.
  const own = Object.entries(one.fields).filter(([key]) => !derived.includes(key));
  expect(Object.values(parsed.values as object).map(plain)).toEqual(own.map(([, value]) => value));
  const values = parsed.values as never;
  expect(problemOf(parsed.name, values)).toBeNull();
  expect(hexOf(encodeCommand(parsed.name, values))).toBe(hexOf(bytesOf(one)));
}

function holdReply(one: Vector): void {
  const request = bytesOf(vector(one.name.replace("/response/", "/request/")));
  const [asked] = parseCommands(request);
  if (!asked) throw new Error("no command");
  const name = asked.name as CommandName;
  const values = asked.values as never;
  const reply = parseExactly(readReply(name, values), bytesOf(one), one.name);
  const { note: _, poses, ...rest } = one.fields;
  const [wanted] = Object.values(rest);
  if (poses) expect((reply as Float32Array[]).map(rows)).toEqual(poses);
  else expect(plain(reply)).toEqual(wanted);
  expect(hexOf(encodeReply(name, values, reply))).toBe(hexOf(bytesOf(one)));
}

function hold(one: Vector): void {
  if (one.name.startsWith("config/")) holdConfiguration(one);
  else if (one.name.startsWith("control/")) holdControl(one);
  else if (one.name.startsWith("rc/request/")) holdCommand(one);
  else holdReply(one);
}

test.each(vectorsOf("requests").map((one) => [one.name, one] as const))("%s", (_, one) => {
  hold(one);
  expect(one.hex?.length).toBe(one.bytes * 2);
});

test("commands of one connection are read in order", () => {
  const bytes = Uint8Array.of(
    ...encodeCommand("marker", { state: 1 }),
    ...encodeCommand("utcOffset", {}),
  );
  expect(parseCommands(bytes)).toEqual([
    { name: "marker", values: { state: 1 } },
    { name: "utcOffset", values: {} },
  ]);
});

test("what a server closes the connection for", () => {
  const read = (...bytes: number[]) => parseCommands(Uint8Array.from(bytes));
  expect(() => read(0x1a)).toThrow("command 26; allowed: 0 to 25, 32 to 34");
  expect(() => read(0x18, 2, 0, 0, 0)).toThrow("selector 2; allowed: 0 qpc, 1 utc");
  expect(() => read(0x16, 0xde, 0x0e, 0, 0)).toThrow("selector 3806; allowed: 3800 vlc-leftfront");
  expect(() => read(0x16, 0xd8, 0x0e, 0, 0, 2, 0, 0, 0)).toThrow("selector 2");
  // Counts that a peer chooses, refused before anything of that size is waited for.
  expect(() => read(0x17, 0x01, 0x10, 0, 0)).toThrow("a list of 4097; allowed: up to 4096");
  expect(() => read(0x16, 0xd8, 0x0e, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0)).toThrow("a list of 65537");
  expect(() => read(0x03, 0x04, 1)).toThrow(ProtocolError);
});

test("Research Mode off: three commands are refused before their parameters", () => {
  for (const id of [0x0e, 0x16, 0x17]) {
    const reader = createArrayReader(Uint8Array.of(id, 0, 0, 0, 0), "");
    expect(() => reader.read(readCommand({ researchMode: false }))).toThrow("Research Mode");
    expect(reader.left).toBe(4);
  }
});

test("settings that would be ignored are said, and not sent", () => {
  const focus = { mode: 3, range: 2, distance: 0, value: 1000, driverFallback: 1 };
  expect(problemOf("pvFocus", { ...focus, value: 169 })).toBe(
    "pvFocus value 169; allowed: 170 to 10000",
  );
  expect(problemOf("pvFocus", { ...focus, distance: 1 })).toContain("0 infinity, 2 nearest");
  expect(() => encodeCommand("pvHdrVideo", { mode: 3 })).toThrow("allowed: 0 off, 1 on, 2 auto");
  expect(() => encodeCommand("interfacePriority", { port: 3810, priority: 3 })).toThrow("-2 to 2");
});

test("six commands are answered", () => {
  const answered = (Object.keys(commands) as CommandName[]).filter(hasReply);
  expect(answered.map((name) => commands[name].id)).toEqual([0x00, 0x01, 0x03, 0x16, 0x17, 0x18]);
});

test("a region's flags", () => {
  const { fields } = vector("rc/request/pv_set_regions_of_interest");
  const { type, weight } = fields;
  const region = { ...unpackRegion(fields.mode) };
  expect(region).toEqual({
    ...{ clear: true, set: true, autoExposure: true, autoFocus: false, boundsNormalized: true },
    ...{ type, weight },
  });
  for (let flags = 0; flags < 0x2000; flags++) {
    if ((flags & 0x7f) <= 100) expect(packRegion(unpackRegion(flags))).toBe(flags);
  }
});
