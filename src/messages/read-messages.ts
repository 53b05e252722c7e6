/** Messages of a ring in order, from a cursor on, by pread: the ring may be anybody's. */
import type { Segment, SegmentFrame } from "../ring/segment.ts";

export interface Cursor {
  generation: string;
  /** Of the message given last; 0: none of this generation. */
  sequence: bigint;
}

export interface Batch {
  messages: (SegmentFrame & { payload: Uint8Array })[];
  /** Where to go on. */
  cursor: Cursor;
  /** The cursor that was given is of an older generation: sequences began again at 1. */
  newGeneration: boolean;
  /** Overwritten before they were read, in this generation. */
  missed: bigint;
}

/** `<generation>.<sequence>`; null where it is none. */
export function parseCursor(text: string): Cursor | null {
  const match = /^([0-9a-f]{32})\.(\d{1,20})$/.exec(text);
  const [, generation, sequence] = match ?? [];
  return generation && sequence ? { generation, sequence: BigInt(sequence) } : null;
}

export function cursorText({ generation, sequence }: Cursor): string {
  return `${generation}.${sequence}`;
}

/** At most `limit` messages after `after`; without a cursor from the oldest in the ring on. Throws LayoutError. */
export function readMessages(segment: Segment, after: Cursor | null, limit: number): Batch {
  const { latest } = segment.hot();
  const window = BigInt(segment.header.slotCount - 1);
  const oldest = latest > window ? latest - window + 1n : 1n;
  const known = after?.generation === segment.generation ? after.sequence : null;
  const first = known === null ? oldest : known + 1n;
  // Who asks for the first time has missed nothing; who comes from an older generation has what came before the oldest.
  let missed = after === null || first >= oldest ? 0n : oldest - first;
  if (after !== null && known === null) missed = oldest - 1n;
  const messages: Batch["messages"] = [];
  let sequence = first > oldest ? first : oldest;
  for (; sequence <= latest && messages.length < limit; sequence++) {
    const frame = segment.frame(sequence);
    if (frame) messages.push(frame);
    else missed++;
  }
  const cursor = { generation: segment.generation, sequence: sequence - 1n };
  return { messages, cursor, newGeneration: after !== null && known === null, missed };
}
