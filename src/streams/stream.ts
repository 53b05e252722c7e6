/** One stream as the hub watches it: the present generation of its ring, its rate and its state. */
import { fstatSync } from "node:fs";
import { monotonicNs, writerAlive } from "../ring/ffi.ts";
import { LayoutError } from "../ring/layout.ts";
import { openSegment, type Segment } from "../ring/segment.ts";
import { type Hops, hopsOf } from "./hops.ts";
import { RateMeter } from "./rate.ts";

export const streamStates = ["live", "stalled", "dead", "retired"] as const;
export type StreamState = (typeof streamStates)[number];

export interface StreamStatus {
  state: StreamState;
  /** Frames per second; null until two frames are known. */
  measuredRate: number | null;
  /** Since the newest frame was published; null before the first. */
  ageNs: bigint | null;
  /** 0 before the first frame. */
  lastSequence: bigint;
  /** Of the newest frame; null before the first. */
  lastBytes: number | null;
  /** Of the newest frame; null before the first. */
  hops: Hops | null;
  /** Frames of all generations that the hub has seen. */
  frames: bigint;
  /** Generations that the hub has seen. */
  generations: number;
}

export interface Predecessors {
  frames: bigint;
  generations: number;
}

export class Stream {
  readonly #rate = new RateMeter();
  readonly #inode: bigint;
  readonly #before: Predecessors;
  #newest: { publishTimeNs: bigint; bytes: number; hops: Hops } | null = null;
  #lastSequence = 0n;

  /** Throws what {@link openSegment} throws. */
  static open(name: string, path: string, before?: Stream): Stream {
    const segment = openSegment(path);
    try {
      return new Stream(name, segment, before?.asPredecessor());
    } catch (error) {
      segment.close();
      throw error;
    }
  }

  private constructor(
    readonly name: string,
    readonly segment: Segment,
    before: Predecessors = { frames: 0n, generations: 0 },
  ) {
    this.#before = before;
    this.#inode = fstatSync(segment.fd, { bigint: true }).ino;
    this.#seeHistory();
  }

  get generation(): string {
    return this.segment.generation;
  }

  /** Whether the file of this inode, which has the stream's name now, is still the one that is open here. */
  is(inode: bigint): boolean {
    return inode === this.#inode;
  }

  /** Reads the ring's present numbers. Throws LayoutError where its owner has cut the file short. */
  look(): StreamStatus {
    this.#checkSize();
    this.#lastSequence = this.segment.hot().latest;
    const newest = this.segment.head();
    if (newest) {
      const { publishTimeNs } = newest.header;
      this.#newest = { publishTimeNs, bytes: newest.payloadBytes, hops: hopsOf(newest) };
      this.#rate.see(newest.seq, publishTimeNs);
    }
    return this.#status(this.segment.state());
  }

  /** Frames per second by what the last looks have seen, see {@link RateMeter}. */
  measuredRate(): number | null {
    return this.#rate.perSecond(monotonicNs());
  }

  /** Asked by the lock, since a ring may be retired and its writer still be at work on closing it. */
  writerAlive(): boolean {
    return writerAlive(this.segment.fd);
  }

  close(): void {
    this.segment.close();
  }

  asPredecessor(): Predecessors {
    const { frames, generations } = this.#before;
    return { frames: frames + this.#lastSequence, generations: generations + 1 };
  }

  #status(state: StreamState): StreamStatus {
    const now = monotonicNs();
    const { frames, generations } = this.asPredecessor();
    const published = this.#newest?.publishTimeNs;
    return {
      state,
      measuredRate: this.#rate.perSecond(now),
      ageNs: published === undefined ? null : now > published ? now - published : 0n,
      lastSequence: this.#lastSequence,
      lastBytes: this.#newest?.bytes ?? null,
      hops: this.#newest?.hops ?? null,
      frames,
      generations,
    };
  }

  /** The oldest frame still in the ring: with it a stream found just now has a rate at once. */
  #seeHistory(): void {
    const { latest } = this.segment.hot();
    const readable = BigInt(this.segment.header.slotCount - 2);
    const oldest = this.segment.head(latest > readable ? latest - readable : 1n);
    if (oldest) this.#rate.see(oldest.seq, oldest.header.publishTimeNs);
  }

  #checkSize(): void {
    const { size } = fstatSync(this.segment.fd);
    const { totalBytes } = this.segment.header;
    if (size < totalBytes) throw new LayoutError(`truncated: ${size} bytes of ${totalBytes}`);
  }
}
