/** A reader that follows a ring of the simulated sender's pictures and knows which of them never came. */
import type { RingReader } from "../src/ring.ts";
import { numberOf, numbersFrom } from "../test/ndi-pictures.ts";

export interface Watched {
  /** Published meanwhile. */
  frames: number;
  /** Sent meanwhile, by their numbers, and not published. */
  missed: number;
  /** From the frame's arrival to its publication. */
  agesNs: number[];
}

/** For so long; the first frame is where counting begins. */
export async function watch(reader: RingReader, ms: number): Promise<Watched> {
  const watched: Watched = { frames: 0, missed: 0, agesNs: [] };
  const untilMs = performance.now() + ms;
  let before: { seq: bigint; number: number } | null = null;
  while (performance.now() < untilMs) {
    const frame = await reader.next({ timeoutMs: 500 });
    if (!frame) continue;
    const { seq, shape, publishTimeNs, fields } = frame;
    const number = numberOf(frame.data, shape[1] as number);
    if (!frame.valid()) continue; // the next one counts it
    if (before) {
      const published = Number(seq - before.seq);
      watched.frames += published;
      watched.missed += numbersFrom(before.number, number) - published;
    }
    before = { seq, number };
    watched.agesNs.push(Number((publishTimeNs as bigint) - (fields?.arrival_time_ns as bigint)));
  }
  return watched;
}
