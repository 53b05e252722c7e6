/** What can be made to go wrong, and how it is said on the command line. */
import { type StreamName, streamPorts } from "../wire/ports.ts";

export type PortName = StreamName | "remote-configuration";
export const portNames: readonly PortName[] = [
  ...(Object.keys(streamPorts) as StreamName[]),
  "remote-configuration",
];

export interface FaultKind {
  words: string;
  /** What its value is; null: it has none. `s` is how long it lasts: without one until it is taken back. */
  value: "ms" | "s" | "bytes" | "packets" | "version" | null;
  usual?: number;
  /** It is over when it has happened. */
  once?: true;
  /** It is the whole device's, whatever port is named. */
  whole?: true;
}

export const faultKinds = {
  delay: { words: "each packet is sent so much later", value: "ms", usual: 100 },
  jitter: { words: "each packet is sent up to so much later, by chance", value: "ms", usual: 50 },
  stall: { words: "nothing is sent, the connection stays", value: "s" },
  lose: { words: "so many packets are left out", value: "packets", usual: 1, once: true },
  "drop-key-frame": { words: "the next key frame is left out", value: null, once: true },
  damage: { words: "the coded bytes of a packet are overwritten", value: null, once: true },
  "wrong-size": {
    words: "a header says another size",
    value: "bytes",
    usual: 0xffff_ffff,
    once: true,
  },
  cut: { words: "the connection ends in the middle of a packet", value: null, once: true },
  reset: { words: "the connection is reset", value: null, once: true },
  refuse: { words: "the port is closed", value: "s" },
  busy: { words: "another client holds the port: new ones wait", value: "s" },
  "not-located": { words: "the headset does not know where it is", value: "s" },
  sleep: { words: "the headset sleeps: all ports are silent", value: "s", whole: true },
  reboot: {
    words: "the device is away so long, with a clock that begins anew",
    ...{ value: "s", usual: 3, once: true, whole: true },
  },
  "no-research-mode": { words: "ports 3800 to 3808 are closed", value: "s", whole: true },
  "exclusive-depth": {
    words: "AHAT and long throw refuse to run at once",
    value: "s",
    whole: true,
  },
  version: {
    words: "the app says another version; below 1.0.36 it has no clock to ask for",
    value: "version",
    whole: true,
  },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof faultKinds;

export interface Fault {
  port: PortName | "all";
  kind: FaultName;
  /** In the unit of its kind. */
  value?: number | string;
  /** Seconds after the start. */
  afterSeconds?: number;
}

/** `stream:kind[:value][@seconds]`. @throws RangeError in words for the user */
export function parseFault(text: string): Fault {
  const [, port = "", kind = "", value, after] =
    /^([^:@]*):([^:@]*)(?::([^:@]*))?(?:@([^:@]*))?$/.exec(text) ?? [];
  if (port !== "all" && !portNames.includes(port as PortName)) {
    throw new RangeError(`"${text}" names no stream; allowed: all, ${portNames.join(", ")}.`);
  }
  if (!Object.hasOwn(faultKinds, kind)) {
    const known = Object.keys(faultKinds).join(", ");
    throw new RangeError(`"${kind}" is no fault; allowed: ${known}.`);
  }
  const fault: Fault = { port: port as Fault["port"], kind: kind as FaultName };
  if (value !== undefined) fault.value = parseValue(fault.kind, value);
  if (after !== undefined)
    fault.afterSeconds = parseNumber(after, "the seconds after @", longestSeconds);
  return fault;
}

/** No timer holds more. */
const longestSeconds = 1_000_000;
const largest = 0xffff_ffff;

function parseValue(name: FaultName, text: string): number | string {
  const { value }: FaultKind = faultKinds[name];
  if (value === null) throw new RangeError(`${name} has no value; "${text}" is left over.`);
  const most = value === "s" ? longestSeconds : largest;
  if (value !== "version") return parseNumber(text, `the value of ${name} (${value})`, most);
  if (/^\d{1,5}(\.\d{1,5}){2,3}$/.test(text)) return text;
  throw new RangeError(`"${text}" is no version; for instance 1.0.34.`);
}

function parseNumber(text: string, what: string, most: number): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0 && number <= most) return number;
  throw new RangeError(`${what} is "${text}"; allowed: a number from 0 to ${most}.`);
}
