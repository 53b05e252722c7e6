/** What was put on the screen last, how many a second, and the way it took: hop by hop. */
import type { FrameMessage } from "../../api/live-messages.ts";
import { hubTimeMs } from "./hub-clock.ts";

export interface Hop {
  name: string;
  ms: number;
  /** Null where nothing bounds it. */
  errorMs: number | null;
}

export interface Shown {
  generation: string;
  sequence: bigint;
  /** Hub's clock. */
  publishTimeMs: number;
  /** `performance.now()` when it was painted. */
  atMs: number;
}

interface Way extends Shown {
  hops: Hop[];
}

const windowMs = 2000;

export class ShownMeter {
  last: Shown | null = null;
  /** Frames that were published and not given to this page. */
  missed = 0n;
  #ways: Way[] = [];

  see(frame: FrameMessage, atMs = performance.now()): void {
    const publishTimeMs = Number(frame.publishTimeNs) / 1e6;
    const { generation, sequence } = frame;
    this.last = { generation, sequence, publishTimeMs, atMs };
    this.missed += frame.missed;
    this.#ways.push({ ...this.last, hops: hopsOf(frame, atMs) });
    this.#forget(atMs);
  }

  /** Paintings per second over the last two seconds. */
  rate(nowMs: number): number {
    this.#forget(nowMs);
    const [first, last] = [this.#ways[0], this.#ways.at(-1)];
    if (!first || !last || first === last) return 0;
    return ((this.#ways.length - 1) * 1000) / (last.atMs - first.atMs || 1);
  }

  /** The median of each hop over the last two seconds; of the last frame where there was none in them. */
  hops(nowMs: number): Hop[] {
    this.#forget(nowMs);
    const names = this.#ways.at(-1)?.hops.map(({ name }) => name) ?? [];
    return names.map((name) => {
      const all = this.#ways.flatMap(({ hops }) => hops.filter((hop) => hop.name === name));
      return all.sort((one, other) => one.ms - other.ms)[all.length >> 1] as Hop;
    });
  }

  #forget(nowMs: number): void {
    while (this.#ways.length > 1 && (this.#ways[0]?.atMs ?? nowMs) < nowMs - windowMs) {
      this.#ways.shift();
    }
  }
}

type Times = Pick<
  FrameMessage,
  "captureTimeNs" | "timeErrorNs" | "arrivalTimeNs" | "publishTimeNs"
>;

/** @param atMs when it was painted, `performance.now()` */
export function hopsOf(times: Times, atMs: number): Hop[] {
  const { captureTimeNs, timeErrorNs, arrivalTimeNs, publishTimeNs } = times;
  const errorMs = timeErrorNs === null ? null : Number(timeErrorNs) / 1e6;
  const between = (from: bigint, to: bigint) => Number(to - from) / 1e6;
  const hops: Hop[] = [];
  if (captureTimeNs !== null) {
    const name = arrivalTimeNs === null ? "capture → published" : "device → arrival";
    hops.push({ name, ms: between(captureTimeNs, arrivalTimeNs ?? publishTimeNs), errorMs });
  }
  if (arrivalTimeNs !== null) {
    hops.push({
      name: "arrival → published",
      ms: between(arrivalTimeNs, publishTimeNs),
      errorMs: null,
    });
  }
  const here = hubTimeMs(atMs);
  if (here) {
    const ms = here.ms - Number(publishTimeNs) / 1e6;
    hops.push({ name: "published → here", ms, errorMs: here.errorMs });
  }
  return hops;
}
