// Frames of several streams that belong together: one set for each frame of the driving stream.
import type { Frame } from "./frame.ts";
import type { RingReader } from "./reader.ts";
import { type Match, type MissingReason, SyncMember, timeOf } from "./sync-member.ts";

export interface SyncOptions {
  /** How far a frame may be from the driver's, ns. */
  toleranceNs: bigint;
  /**
   * - `reproducible` (the default): each frame of the driver, in order, once its answer can no longer change. How the
   *   streams interleave does not matter: a replay gives the same sets
   * - `available`: the driver's newest frame, answered at once with what the other rings have
   */
  mode?: "reproducible" | "available";
  /** One of the streams; else the slowest by its descriptor's `rate` at the start. */
  driver?: string | undefined;
  /** How long the driver may take to appear; default: for ever. */
  timeoutMs?: number | undefined;
  prefix?: string | undefined;
}

export interface FrameSet {
  /** Of the driver's frame: its capture, or its publication where that is unknown. */
  timeNs: bigint;
  driver: string;
  /** By stream, the driver's too; ordinary frames, whole at the moment they are handed out. None is in two sets. */
  frames: Record<string, Frame | null>;
  /** Why a stream has none here. */
  missing: Record<string, MissingReason>;
}

const slice_ms = 100;

/** Sets of frames; {@link sync} makes it. It follows restarted writers by itself. */
export class FrameSync {
  /** The driver's frame whose set is not decided yet. */
  #pending: Frame | null = null;
  #closed = false;

  constructor(
    readonly driver: string,
    private readonly members: Map<string, SyncMember>,
    private readonly options: SyncOptions,
  ) {}

  /**
   * The next set; null after `timeoutMs` (default: for ever) without one. A driver's frame that is overwritten before its set is
   * decided is dropped and counted in `missed`: raise the stream's `slots`.
   */
  async next({ timeoutMs = Number.POSITIVE_INFINITY } = {}): Promise<FrameSet | null> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = Math.max(0, deadline - performance.now());
      const waitMs = Math.min(left, slice_ms);
      this.#pending ??= await this.#driverFrame(waitMs);
      const set = this.#pending && (await this.#set(this.#pending, waitMs));
      if (this.#closed) return null;
      if (set && this.#whole(set)) return this.#given(set);
      if (left === 0) return null;
    }
  }

  /** Every set from now on. Ends when this is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FrameSet> {
    while (!this.#closed) {
      const set = await this.next({ timeoutMs: slice_ms });
      if (set) yield set;
    }
  }

  /** Frames by stream that came into no set because they were overwritten. */
  get missed(): Record<string, bigint> {
    return Object.fromEntries([...this.members].map(([name, { missed }]) => [name, missed]));
  }

  /** The reader of one of the streams: its state and descriptor; null where there is no such stream now. */
  reader(name: string): Promise<RingReader | null> {
    return this.#member(name).reader();
  }

  /** Lets go of the rings; views that are still held stay mapped. */
  close(): void {
    this.#closed = true;
    this.#pending = null;
    for (const member of this.members.values()) member.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #member(name: string): SyncMember {
    const member = this.members.get(name);
    if (!member)
      throw new RangeError(`"${name}" is not one of ${[...this.members.keys()].join(", ")}`);
    return member;
  }

  async #driverFrame(waitMs: number): Promise<Frame | null> {
    const driver = this.#member(this.driver);
    if (this.options.mode !== "available") return driver.next(waitMs);
    return (await driver.reader())?.newest({ timeoutMs: waitMs }) ?? null;
  }

  /** Null while it is not decided. */
  async #set(frame: Frame, waitMs: number): Promise<FrameSet | null> {
    const timeNs = timeOf(frame);
    const frames: FrameSet["frames"] = {};
    const missing: FrameSet["missing"] = {};
    for (const [name, member] of this.members) {
      const match = name === this.driver ? { frame } : await this.#match(member, timeNs, waitMs);
      if (!match) return null;
      if ("frame" in match) frames[name] = match.frame;
      else {
        frames[name] = null;
        missing[name] = match.reason;
      }
    }
    return { timeNs, driver: this.driver, frames, missing };
  }

  #match(member: SyncMember, timeNs: bigint, waitMs: number): Promise<Match | null> {
    const { mode, toleranceNs } = this.options;
    return mode === "available"
      ? member.available(timeNs, toleranceNs)
      : member.decided(timeNs, toleranceNs, waitMs);
  }

  /** Whether no frame was overwritten while others were waited for. Without its driver's frame there is no set. */
  #whole({ frames }: FrameSet): boolean {
    if (!frames[this.driver]?.valid()) {
      this.#pending = null;
      this.#member(this.driver).overwritten++;
      return false;
    }
    return Object.values(frames).every((frame) => frame?.valid() ?? true);
  }

  #given(set: FrameSet): FrameSet {
    this.#pending = null;
    for (const [name, frame] of Object.entries(set.frames)) {
      if (!frame || name === this.driver) continue;
      const member = this.#member(name);
      if (this.options.mode === "available") member.give(frame);
      else member.take(frame);
    }
    return set;
  }
}

/**
 * Lines streams up in time. Waits for the driver only; a stream that is not there is `stream down` until it appears.
 * Throws RangeError: fewer than two streams, one named twice, a driver that is none of them, a negative tolerance;
 * RingError ENOENT: the driver did not appear in time.
 */
export async function sync(names: string[], options: SyncOptions): Promise<FrameSync> {
  checkArguments(names, options);
  const members = new Map(names.map((name) => [name, new SyncMember(name, options.prefix)]));
  const { timeoutMs } = options;
  try {
    const driver = options.driver ?? (await slowest(members, timeoutMs));
    await members.get(driver)?.appeared(timeoutMs);
    return new FrameSync(driver, members, options);
  } catch (error) {
    for (const member of members.values()) member.close();
    throw error;
  }
}

function checkArguments(names: string[], { driver, toleranceNs }: SyncOptions): void {
  const listed = names.join(", ");
  if (names.length < 2) throw new RangeError(`sync lines up at least two streams, not "${listed}"`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new RangeError(`sync: stream "${twice}" is named twice`);
  if (driver !== undefined && !names.includes(driver)) {
    throw new RangeError(`sync: the driver "${driver}" is not one of ${listed}`);
  }
  if (toleranceNs < 0n) throw new RangeError(`sync: toleranceNs is ${toleranceNs}; 0 is the least`);
}

/** By nominal rate; streams without one come last, of equals the first. Waits until one of them is there. */
async function slowest(members: Map<string, SyncMember>, timeoutMs = Number.POSITIVE_INFINITY) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const readers = await Promise.all([...members.values()].map((member) => member.reader()));
    const rates = readers.map((reader) => reader?.descriptor.rate ?? Number.POSITIVE_INFINITY);
    const late = performance.now() >= deadline;
    if (readers.some((reader) => reader) || late) {
      return [...members.keys()][rates.indexOf(Math.min(...rates))] as string;
    }
    await Bun.sleep(slice_ms);
  }
}
