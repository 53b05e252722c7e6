/** Damaged bytes for parsers, the same in every run, and what a parser may do with them. */
import { expect } from "bun:test";
import { type Grammar, parseExactly } from "../sensors/hololens/wire/grammar.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { random } from "./hololens-wire-vectors.ts";

/** Values at which parsers break: ends of ranges, signs, floats that are no numbers. */
const edges = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
const words = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0x7f800000, 0x10000];

export type Mutate = (bytes: Uint8Array) => Uint8Array;

/** One to four changes: bits, edge values, bytes more or fewer, parts repeated, an early end. */
export function createMutator(seed: number): Mutate {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);

  const changes: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => changedAt(bytes, below(bytes.length), (byte) => byte ^ (1 << below(8))),
    (bytes) => changedAt(bytes, below(bytes.length), () => edges[below(edges.length)] as number),
    (bytes) => changedAt(bytes, below(bytes.length), () => below(256)),
    (bytes) => {
      const copy = bytes.slice();
      const at = below(Math.max(1, copy.length - 3));
      const word = words[below(words.length)] as number;
      for (let i = 0; i < 4 && at + i < copy.length; i++) copy[at + i] = (word >>> (8 * i)) & 0xff;
      return copy;
    },
    (bytes) => bytes.slice(0, below(bytes.length + 1)),
    (bytes) => {
      const at = below(bytes.length + 1);
      const some = Uint8Array.from({ length: 1 + below(9) }, () => below(256));
      return Uint8Array.from([...bytes.subarray(0, at), ...some, ...bytes.subarray(at)]);
    },
    (bytes) => {
      const [from, to] = [below(bytes.length + 1), below(bytes.length + 1)].sort((a, b) => a - b);
      return Uint8Array.from([...bytes.subarray(0, to), ...bytes.subarray(from)]);
    },
  ];
  // What keeps the length reaches deeper: it is chosen more often.
  const likely = [0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 5, 6];

  return (bytes) => {
    let mutated = bytes;
    for (let i = 1 + below(4); i > 0; i--) {
      mutated = (changes[likely[below(likely.length)] as number] as Mutate)(mutated);
    }
    return mutated;
  };
}

function changedAt(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = change(copy[at] as number);
  return copy;
}

/** Reads as parseExactly does, and holds the grammar to asking for no more than `most` bytes at once. */
export function readBounded<T>(grammar: () => Grammar<T>, bytes: Uint8Array, most: number): T {
  function* bounded(): Grammar<T> {
    const inner = grammar();
    let step = inner.next();
    while (!step.done) {
      if (step.value > most) throw new Error(`asks for ${step.value} bytes, more than ${most}`);
      step = inner.next(yield step.value);
    }
    return step.value;
  }
  return parseExactly(bounded(), bytes, "fuzz");
}

export interface Counts {
  accepted: number;
  refused: number;
}

/** Anything but a result or a ProtocolError leaves this, with the bytes that did it. */
export function tryParse(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array, counts: Counts) {
  try {
    parse(bytes);
    counts.accepted += 1;
  } catch (error) {
    if (!(error instanceof ProtocolError)) {
      throw new Error(`${bytes.toHex().slice(0, 4000)}: ${error}`, { cause: error });
    }
    counts.refused += 1;
  }
}

/**
 * So many mutants of each seed in turn. Both outcomes must occur: else the mutants are all hopeless, or
 * nothing is looked at.
 */
export function fuzz(
  parse: (bytes: Uint8Array) => unknown,
  { seeds, mutants, mutate }: { seeds: Uint8Array[]; mutants: number; mutate: Mutate },
): Counts {
  const counts: Counts = { accepted: 0, refused: 0 };
  for (let i = 0; i < mutants; i++) {
    tryParse(parse, mutate(seeds[i % seeds.length] as Uint8Array), counts);
  }
  expect(counts.accepted + counts.refused).toBe(mutants);
  return counts;
}

export function noise(length: number, seed: number): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length }, () => next() * 256);
}
