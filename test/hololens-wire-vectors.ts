/** The vectors of the HoloLens protocol (data/hl2ss-vectors.json) and how their fields compare with ours. */
import { createHash } from "node:crypto";
import { join } from "node:path";

export interface Vector {
  name: string;
  direction: "client->server" | "server->client" | "local" | "file";
  // biome-ignore lint/suspicious/noExplicitAny: each kind of vector has fields of its own
  fields: any;
  /** Null where a rule makes the bytes; then `sha256` checks them. */
  hex: string | null;
  bytes: number;
  port?: number;
  stream?: string;
  sha256?: string;
  hasPose?: boolean;
}

export const vectors: Vector[] = await Bun.file(
  join(import.meta.dir, "data/hl2ss-vectors.json"),
).json();

/**
 * Every vector belongs to one group, and each group has a test file of its name that takes all of them
 * by `vectorsOf`: none is left out without being seen.
 */
export const groups = {
  requests: /^(config|control|rc)\//,
  packets: /^(packet\/(mode|two|rm_imu|spatial|extended_eye|microphone)|time\/|file\/)/,
  pictures: /^(packet|payload)\/(pv|rm_vlc|rm_depth|extended_depth)/,
  calibration: /^mode2\//,
  codecs: /^codec\//,
  bad: /^bad\//,
  /** The protocol of 2022, for reference: nothing here speaks it. */
  seed: /^seed\//,
} as const;

export function vectorsOf(group: keyof typeof groups): Vector[] {
  return vectors.filter(({ name }) => groups[group].test(name));
}

export function vector(name: string): Vector {
  const found = vectors.find((one) => one.name === name);
  if (!found) throw new Error(`no vector ${name}`);
  return found;
}

export function bytesOf({ name, hex }: Vector): Uint8Array {
  if (hex === null) throw new Error(`${name} has no bytes, only a rule`);
  return Uint8Array.fromHex(hex);
}

export function hexOf(bytes: Uint8Array): string {
  return bytes.toHex();
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** As the vectors write values: 64-bit integers as decimal strings, typed arrays as lists. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, plain(member)]);
  return Object.fromEntries(members);
}

/** 16 numbers as four rows. */
export function rows(matrix: ArrayLike<number>): number[][] {
  return [0, 4, 8, 12].map((at) => Array.from({ length: 4 }, (_, i) => matrix[at + i] as number));
}

/** A picture of numbers by a rule of row and column. */
export function byRule(
  { width, height }: { width: number; height: number },
  rule: (row: number, column: number) => number,
): Uint16Array {
  return Uint16Array.from({ length: width * height }, (_, i) =>
    rule(Math.floor(i / width), i % width),
  );
}

/** The bytes of a packet or message in pieces of the given size, as a socket may give them. */
export async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}

/** Mulberry32: the same numbers in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
