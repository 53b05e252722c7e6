/** What a simulated source can be made to do, and how it is said on the command line and on stdin. */
import { parsePadding, parseRate, parseSeconds, parseSize, parseSound } from "./forms.ts";

export interface FaultKind {
  words: string;
  /** How its value is written, and what reads it; none: it has no value. */
  value?: { words: string; parse(text: string): unknown };
  /** Without a value it is for ever. */
  optional?: true;
}

const seconds = { words: "s", parse: parseSeconds };

export const faultKinds = {
  size: { words: "pictures of another size", value: { words: "WxH", parse: parseSize } },
  fps: { words: "another rate", value: { words: "rate", parse: parseRate } },
  alpha: { words: "pictures with transparency" },
  opaque: { words: "pictures without it" },
  padding: {
    words: "so many bytes behind each row and each channel",
    value: { words: "bytes", parse: parsePadding },
  },
  sound: { words: "another sound, such as 44100x1", value: { words: "HZxN", parse: parseSound } },
  metadata: { words: "some XML with each picture, and some alone" },
  silent: { words: "no more sound" },
  dark: { words: "no more pictures" },
  freeze: { words: "nothing is sent, the connection stays", value: seconds, optional: true },
  stop: { words: "the source is gone", value: seconds, optional: true },
  go: { words: "takes silent, dark, freeze and stop back" },
  swap: { words: "all sources come back on other ports, each other's if they were not in use" },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof faultKinds;

export interface Fault {
  /** The source's name; null: all of them. */
  source: string | null;
  kind: FaultName;
  /** As written; it can be parsed. */
  value: string | null;
  /** Seconds after the start. */
  afterSeconds: number;
}

/** `[source/]kind[:value][@seconds]`. @throws RangeError in words for the user */
export function parseFault(text: string): Fault {
  const [, source = null, name = "", value = null, after = "0"] =
    /^(?:(.*)\/)?([^/:@]*)(?::([^/:@]*))?(?:@([^/:@]*))?$/.exec(text) ?? [];
  if (!Object.hasOwn(faultKinds, name)) {
    const known = Object.keys(faultKinds).join(", ");
    throw new RangeError(
      `"${text}" names no fault; allowed: [source/]kind[:value][@seconds] with one of ${known}.`,
    );
  }
  checkValue(name, faultKinds[name as FaultName], value);
  return { source, kind: name as FaultName, value, afterSeconds: parseSeconds(after) };
}

function checkValue(name: string, { value: kind, optional }: FaultKind, value: string | null) {
  if (value !== null && kind) kind.parse(value);
  else if (value !== null) throw new RangeError(`${name} has no value; "${value}" is left over.`);
  else if (kind && !optional) throw new RangeError(`${name} needs a value: ${name}:${kind.words}.`);
}

/** A line for each. */
export function faultHelp(): string {
  const lines = Object.entries(faultKinds).map(([name, kind]: [string, FaultKind]) => {
    const value = kind.value ? `:${kind.value.words}` : "";
    return `  ${(kind.optional ? `${name}[${value}]` : name + value).padEnd(16)} ${kind.words}`;
  });
  return lines.join("\n");
}
