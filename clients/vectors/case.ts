// What a vector is, and the few ways to make one. The answers are stated by hand beside each ring;
// nothing reads the files to find them.
import { type FrameSpec, Ring, type RingSpec } from "./build.ts";

/** A vector that opens. */
export interface ReadableCase {
  name: string;
  about: string;
  ring: Ring;
  retired?: boolean;
  latest: FrameSpec | null;
  /** For last(n): n and the sequences it gives. */
  last: Record<number, bigint[]>;
}

/** A vector that a reader has to refuse. */
export interface RefusedCase {
  name: string;
  about: string;
  ring: Ring;
  /** Where the fault lies; a reader that does not parse the descriptor may open the latter. */
  errorFrom: "header" | "descriptor";
  /** The error text contains at least one of these, in either case of letters. */
  errorMentions: string[];
}

export type Case = ReadableCase | RefusedCase;

/** Frames from first to last, all alike. */
export function frames(
  first: bigint,
  last: bigint,
  more: Omit<FrameSpec, "seq"> = {},
): FrameSpec[] {
  const list: FrameSpec[] = [];
  for (let seq = first; seq <= last; seq++) list.push({ seq, ...more });
  return list;
}

export function readable(
  name: string,
  about: string,
  spec: RingSpec,
  expect: Pick<ReadableCase, "latest" | "last" | "retired">,
  fill: (ring: Ring) => Ring,
): ReadableCase {
  return { name, about, ring: fill(new Ring(name, spec)), ...expect };
}

/** A ring of six frames whose newest is unreadable, so that the older two are all there is. */
export function damaged(name: string, about: string, damage: (ring: Ring) => Ring): ReadableCase {
  return readable(name, about, {}, { latest: null, last: { 3: [4n, 5n] } }, (ring) =>
    damage(ring.publish(...frames(1n, 6n))),
  );
}

/** A ring of two whole frames, spoilt so that a reader must not open it. */
export function refused(
  name: string,
  about: string,
  errorMentions: string[],
  spoil: (ring: Ring) => Ring,
  spec: RingSpec = {},
): RefusedCase {
  const ring = spoil(new Ring(name, spec).publish(...frames(1n, 2n)));
  return {
    name,
    about,
    ring,
    errorFrom: spec.descriptorBytes ? "descriptor" : "header",
    errorMentions,
  };
}

/** One value in the segment header that breaks a rule of LAYOUT.md. The error names at least what it is about. */
export function badHeader(
  name: string,
  about: string,
  values: Record<string, number | bigint>,
  alsoMentions: string[] = [],
): RefusedCase {
  const fields = Object.keys(values).map((field) => field.split("_")[0] as string);
  const mentions = [...new Set([...fields, ...alsoMentions])];
  return refused(name, about, mentions, (ring) => ring.header(values));
}
