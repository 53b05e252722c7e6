/** The questions and settings of the remote configuration port, each with its parameters and what they may be. */
import { type Grammar, value } from "./grammar.ts";
import { queryPorts, streamOfPort, streamPorts } from "./ports.ts";
import { listed, ProtocolError } from "./protocol-error.ts";
import {
  type Field,
  f32,
  floats,
  i32,
  i64,
  joined,
  listOf,
  u8,
  u16,
  u32,
  u64,
  viewOf,
} from "./record.ts";

export interface Parameter<T> {
  /** Checks only what the server closes the connection for. */
  grammar(where: string): Grammar<T>;
  encode(value: T): Uint8Array;
  /** What else the server would ignore without a word; null: it takes the value. */
  problem(value: T): string | null;
  /** Names of the numbers it may be, where they have names. */
  names?: Record<string, number>;
  range?: { from: number; to: number };
}

function single<T>(field: Field<T>): Parameter<T> {
  return {
    grammar: () => value(field),
    encode(given) {
      const bytes = new Uint8Array(field.bytes);
      field.write(viewOf(bytes), 0, given);
      return bytes;
    },
    problem: () => null,
  };
}

function choice(names: Record<string, number>): Parameter<number> {
  const known = Object.values(names);
  const problem = (code: number) =>
    known.includes(code) ? null : `${code}; allowed: ${listed(names)}`;
  return { ...single(u32), names, problem };
}

/** A choice that the server cannot ignore: it closes the connection. */
function selector(names: Record<string, number>): Parameter<number> {
  const listening = choice(names);
  return {
    ...listening,
    *grammar(where) {
      const code = yield* value(u32);
      const problem = listening.problem(code);
      if (problem === null) return code;
      throw new ProtocolError({ where, what: `selector ${code}`, allowed: listed(names) });
    },
  };
}

function range(from: number, to: number, field = u32): Parameter<number> {
  const problem = (given: number) =>
    given >= from && given <= to ? null : `${given}; allowed: ${from} to ${to}`;
  return { ...single(field), range: { from, to }, problem };
}

/** A count, then as many of a field. */
function counted<T>(field: Field<T>, most: number): Parameter<T[]> {
  return {
    *grammar(where) {
      const count = yield* value(u32);
      if (count > most) {
        throw new ProtocolError({ where, what: `a list of ${count}`, allowed: `up to ${most}` });
      }
      return yield* value(listOf(field, count));
    },
    encode(values) {
      const list = listOf(field, values.length);
      return joined(single(u32).encode(values.length), single(list).encode(values));
    },
    problem: ({ length }) => (length > most ? `${length} of them; allowed: up to ${most}` : null),
  };
}

const flag = choice({ off: 0, on: 1 });

/** Ports of the given streams, by their names. */
function portNames(holds: (port: number) => boolean): Record<string, number> {
  const ports = Object.values(streamPorts).map(({ port }) => port);
  return Object.fromEntries(ports.filter(holds).map((port) => [streamOfPort(port), port]));
}

const greyPorts = portNames((port) => port <= 3803);
const cameraPorts = portNames((port) => port <= 3805);
const allPorts = { ...portNames(() => true), ...queryPorts };

/** Its reply: one value, or one for each element of the parameter `forEach`. */
export interface Reply<T> {
  item: Field<T>;
  forEach?: string;
}

function command<P extends Record<string, Parameter<unknown>>, T = null>(
  id: number,
  parameters: P,
  options: { reply?: Reply<T>; needsResearchMode?: true } = {},
) {
  return { id, parameters, reply: options.reply ?? null, needsResearchMode: false, ...options };
}

const research = { needsResearchMode: true } as const;

export const commands = {
  /** Major, minor, build, revision. */
  applicationVersion: command(0x00, {}, { reply: { item: listOf(u16, 4) } }),
  /** UTC (FILETIME) = timestamp + this. Computed once, when the server starts. */
  utcOffset: command(0x01, {}, { reply: { item: u64 } }),
  marker: command(0x02, { state: flag }),
  /** 0: off. */
  pvStatus: command(0x03, {}, { reply: { item: u8 } }),
  pvFocus: command(0x04, {
    mode: choice({ auto: 0, single: 1, continuous: 2, manual: 3 }),
    range: choice({ full: 0, macro: 1, normal: 2 }),
    distance: choice({ infinity: 0, nearest: 2 }),
    value: range(170, 10000),
    driverFallback: choice({ enabled: 0, disabled: 1 }),
  }),
  pvTemporalDenoising: command(0x05, { mode: flag }),
  pvWhiteBalancePreset: command(0x06, {
    preset: choice({
      ...{ auto: 0, manual: 1, cloudy: 2, daylight: 3 },
      ...{ flash: 4, fluorescent: 5, tungsten: 6, candlelight: 7 },
    }),
  }),
  /** Kelvin / 25. */
  pvWhiteBalanceValue: command(0x07, { value: range(92, 300) }),
  /** The value in µs. */
  pvExposure: command(0x08, { mode: choice({ manual: 0, auto: 1 }), value: range(100, 66000) }),
  pvExposurePriorityVideo: command(0x09, { enabled: flag }),
  pvIsoSpeed: command(0x0a, { mode: choice({ manual: 0, auto: 1 }), value: range(100, 3200) }),
  pvBacklightCompensation: command(0x0b, { state: flag }),
  pvSceneMode: command(0x0c, {
    mode: choice({
      ...{ auto: 0, macro: 2, portrait: 3, sport: 4, snow: 5, night: 6, beach: 7, sunset: 8 },
      ...{ candlelight: 9, landscape: 10, "night-portrait": 11, backlit: 12 },
    }),
  }),
  /** From the app's next start on. */
  flatMode: command(0x0d, { mode: flag }),
  eyeSelection: command(0x0e, { enable: flag }, research),
  pvDesiredOptimization: command(0x0f, {
    mode: choice({
      ...{ default: 0, quality: 1, latency: 2, power: 3 },
      ...{ "latency-then-quality": 4, "latency-then-power": 5, "power-and-quality": 6 },
    }),
  }),
  pvPrimaryUse: command(0x10, { mode: choice({ "not-set": 0, photo: 1, video: 2 }) }),
  pvOpticalStabilization: command(0x11, { mode: flag }),
  pvHdrVideo: command(0x12, { mode: choice({ off: 0, on: 1, auto: 2 }) }),
  /** `flags`: see packRegion. */
  pvRegionOfInterest: command(0x13, {
    flags: range(0, 0x1fff),
    x: single(f32),
    y: single(f32),
    width: single(f32),
    height: single(f32),
  }),
  interfacePriority: command(0x14, { port: choice(allPorts), priority: range(-2, 2, i32) }),
  /** From the app's next start on. */
  quietMode: command(0x15, { mode: flag }),
  /** 0, 0 for a point that has no place in the plane; -1, -1 for one that is not in the image. */
  mapCameraPoints: command(
    0x16,
    {
      port: selector(cameraPorts),
      operation: selector({ "image-to-plane": 0, "camera-to-image": 1 }),
      points: counted(listOf(f32, 2), 65536),
    },
    { reply: { item: listOf(f32, 2), forEach: "points" }, ...research },
  ),
  /** Zeros where the headset was not located. */
  rigNodePoses: command(
    0x17,
    { timestamps: counted(u64, 4096) },
    { reply: { item: floats(16), forEach: "timestamps" }, ...research },
  ),
  currentTime: command(0x18, { source: selector({ qpc: 0, utc: 1 }) }, { reply: { item: u64 } }),
  /** 100 ns; hands are sampled that long ago. */
  spatialInputDelay: command(0x19, { delay: single(i64) }),
  encoderBuffering: command(0x20, { enable: flag }),
  readerBuffering: command(0x21, { enable: flag }),
  vlcLoop: command(0x22, { port: choice(greyPorts), enable: flag }),
};

export interface Region {
  clear: boolean;
  set: boolean;
  autoExposure: boolean;
  autoFocus: boolean;
  boundsNormalized: boolean;
  /** 0 unknown, 1 face. */
  type: number;
  weight: number;
}

const regionBits = {
  clear: 12,
  set: 11,
  autoExposure: 10,
  autoFocus: 9,
  boundsNormalized: 8,
} as const;
const regionFlags = Object.entries(regionBits) as [keyof typeof regionBits, number][];

export function packRegion(region: Region): number {
  const { type, weight } = region;
  if (!(type === 0 || type === 1)) throw new RangeError(`type ${type}; allowed: 0 unknown, 1 face`);
  if (!(weight >= 0 && weight <= 100)) throw new RangeError(`weight ${weight}; allowed: 0 to 100`);
  return regionFlags.reduce(
    (all, [name, bit]) => all | (region[name] ? 1 << bit : 0),
    weight | (type << 7),
  );
}

export function unpackRegion(flags: number): Region {
  const set = regionFlags.map(([name, bit]) => [name, ((flags >> bit) & 1) === 1]);
  return { ...Object.fromEntries(set), type: (flags >> 7) & 1, weight: flags & 0x7f } as Region;
}
