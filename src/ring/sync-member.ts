// One of the streams that sync lines up: opened when it appears, its frames taken in order and kept until they are
// of no more use. The two modes ask it for the frame that belongs to an instant.
import { RingError } from "./ffi.ts";
import type { Frame } from "./frame.ts";
import { openReader, type RingReader } from "./reader.ts";

/**
 * - `too early`: it has nothing as late as the instant yet (mode available alone)
 * - `too late`: its first frame that can be had is after the instant
 * - `gap`: frames before and after, none near enough, or the near one was given already
 * - `stream down`: its writer is gone, or there is no such stream
 */
export type MissingReason = "too early" | "too late" | "gap" | "stream down";

export type Match = { frame: Frame } | { reason: MissingReason };

const look_ms = 100; // for a stream that is not there
/** A writer that restarts is no hole: a successor comes sooner than this. */
const down_ms = 250;

/** When a frame was: its capture, unless that is unknown or a broken clock put it after its publication. */
export function timeOf({ captureTimeNs, publishTimeNs }: Frame): bigint {
  return captureTimeNs !== null && captureTimeNs <= publishTimeNs ? captureTimeNs : publishTimeNs;
}

function distance(one: bigint, other: bigint): bigint {
  return one < other ? other - one : one - other;
}

export class SyncMember {
  /** Frames that were lost here: overwritten while they waited. */
  overwritten = 0n;
  #reader: RingReader | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #downSinceMs: number | null = null;
  /** The last frame passed and not yet given. */
  #before: Frame | null = null;
  /** The next one, not consumed. */
  #after: Frame | null = null;
  #passed = false;
  #given = { generation: "", sequences: new Set<bigint>() };

  constructor(
    readonly name: string,
    private readonly prefix: string | undefined,
  ) {}

  /** The stream's reader, if there is such a stream now. */
  async reader(): Promise<RingReader | null> {
    const now = performance.now();
    if (this.#reader || now - this.#lookedMs < look_ms) return this.#reader;
    this.#lookedMs = now;
    try {
      this.#reader = await openReader(this.name, { prefix: this.prefix });
    } catch (error) {
      if (!(error instanceof RingError && error.code === "ENOENT")) throw error;
    }
    return this.#reader;
  }

  /** Waits until there is such a stream. Throws RingError ENOENT after `timeoutMs`. */
  async appeared(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await this.reader())) {
      if (performance.now() < deadline) await Bun.sleep(look_ms);
      else throw new RingError("ENOENT", `sync: there is no stream "${this.name}"`);
    }
  }

  get missed(): bigint {
    return (this.#reader?.missed ?? 0n) + this.overwritten;
  }

  close(): void {
    this.#reader?.close();
    this.#reader = null;
    this.#before = this.#after = null;
  }

  /** The frame after the last one, waited for `timeoutMs`. */
  async next(timeoutMs: number): Promise<Frame | null> {
    const reader = await this.reader();
    if (reader) return reader.next({ timeoutMs });
    await Bun.sleep(Math.min(timeoutMs, look_ms));
    return null;
  }

  /** Dead or retired without a successor, or not there at all; `at least` so long. */
  #down(leastMs: number): boolean {
    const state = this.#reader?.state ?? "dead";
    const now = performance.now();
    if (state !== "dead" && state !== "retired") {
      this.#downSinceMs = null;
      return false;
    }
    this.#downSinceMs ??= now;
    return this.#reader === null || now - this.#downSinceMs >= leastMs;
  }

  /**
   * Mode reproducible: the answer that no later frame can change, or null where there is none within `waitMs`.
   * Asking again with the same instant goes on where it was.
   */
  async decided(timeNs: bigint, toleranceNs: bigint, waitMs: number): Promise<Match | null> {
    do {
      if (await this.#reach(timeNs, 0)) continue;
      const down = this.#down(down_ms); // before the last look: what was published until then comes first
      const reached = await this.#reach(timeNs, down ? 0 : waitMs);
      if (!reached && !down) return null;
    } while (this.#dropOverwritten());
    return this.#nearer(timeNs, toleranceNs);
  }

  /** Mode reproducible: the frame is given and belongs to no other set. */
  take(frame: Frame): void {
    if (frame === this.#after) {
      this.#after = null;
      this.#before = null;
      this.#passed = true;
    }
    if (frame === this.#before) this.#before = null;
  }

  /** Passes all frames before the instant; whether one at or after it is known. */
  async #reach(timeNs: bigint, waitMs: number): Promise<boolean> {
    for (;;) {
      this.#after ??= await this.next(waitMs);
      if (this.#after === null) return false;
      if (timeOf(this.#after) >= timeNs) return true;
      this.#before = this.#after;
      this.#after = null;
      this.#passed = true;
    }
  }

  #nearer(timeNs: bigint, toleranceNs: bigint): Match {
    const [before, after] = [this.#before, this.#after];
    const beforeNs = before ? distance(timeOf(before), timeNs) : null;
    const afterNs = after ? distance(timeOf(after), timeNs) : null;
    const early = beforeNs !== null && beforeNs <= toleranceNs;
    if (early && (afterNs === null || beforeNs <= afterNs)) return { frame: before as Frame };
    if (afterNs !== null && afterNs <= toleranceNs) return { frame: after as Frame };
    if (after === null) return { reason: "stream down" };
    return { reason: this.#passed ? "gap" : "too late" };
  }

  /** One that was overwritten while it waited counts as never come. */
  #dropOverwritten(): boolean {
    const before = this.#before !== null && !this.#before.valid();
    const after = this.#after !== null && !this.#after.valid();
    if (before) this.#before = null;
    if (after) this.#after = null;
    this.overwritten += BigInt(+before + +after);
    return before || after;
  }

  /** Mode available: by what is in the ring now. */
  async available(timeNs: bigint, toleranceNs: bigint): Promise<Match> {
    const reader = await this.reader();
    const frames = reader ? newestBack(reader, timeNs - toleranceNs) : [];
    let best: Frame | null = null;
    for (const frame of frames) {
      const away = distance(timeOf(frame), timeNs);
      if (away > toleranceNs || this.#wasGiven(frame)) continue;
      if (!best || away < distance(timeOf(best), timeNs)) best = frame;
    }
    if (best) return { frame: best };
    if (this.#down(0)) return { reason: "stream down" };
    const [oldest, newest] = [frames[0], frames.at(-1)];
    if (!oldest || !newest || timeOf(newest) < timeNs - toleranceNs) return { reason: "too early" };
    return { reason: timeOf(oldest) > timeNs + toleranceNs ? "too late" : "gap" };
  }

  /** Mode available: the frame is given and belongs to no other set. */
  give({ generation, seq }: Frame): void {
    if (this.#given.generation !== generation) this.#given = { generation, sequences: new Set() };
    const { sequences } = this.#given;
    sequences.add(seq);
    const slots = this.#reader?.descriptor.shm.slotCount ?? 0;
    if (sequences.size <= 2 * slots) return;
    for (const one of sequences) if (one + BigInt(slots) <= seq) sequences.delete(one);
  }

  #wasGiven({ generation, seq }: Frame): boolean {
    return this.#given.generation === generation && this.#given.sequences.has(seq);
  }
}

/** The ring's frames, oldest first, as far back as one before `fromNs`, or all: most of a long ring is of no use. */
function newestBack(reader: RingReader, fromNs: bigint): Frame[] {
  for (let count = 8; ; count *= 4) {
    const readable = reader.descriptor.shm.slotCount - 1;
    const frames = reader.last(Math.min(count, readable));
    const oldest = frames[0];
    if (count >= readable || frames.length < count || !oldest) return frames;
    if (timeOf(oldest) < fromNs) return frames;
  }
}
