/** One connection to a stream: what it wants, and how much it can take. Nothing waits here but what it asked for last. */
import type { ServerWebSocket } from "bun";
import { Packr } from "msgpackr";
import type { FrameMessage, LiveMessage, LiveRequest, Wish } from "../api/live-messages.ts";
import { monotonicNs, utcNs } from "../ring/ffi.ts";
import type { Lives } from "./lives.ts";

const packr = new Packr({ useRecords: false });

/** Due before any time; 0 would be a beat of its own while the process is younger than a period. */
const atOnce = Number.NEGATIVE_INFINITY;

/** A frame for this viewer, before what only holds for it is known. */
export type Shot = Omit<FrameMessage, "type" | "sentTimeNs" | "missed">;

export class Viewer {
  /** The newest that it was given; sequence 0 before the first of a generation. */
  last = { generation: "", sequence: 0n };
  #socket: ServerWebSocket<unknown> | null = null;
  /** Something of an earlier message still waits in this process. */
  #full = false;
  #unanswered = 0;
  #dueMs = atOnce;
  #streamUntold = true;
  #clockAsked: number | null = null;

  constructor(
    /** Name of the stream. */
    readonly stream: string,
    public wish: Wish,
    private readonly lives: Pick<Lives, "add" | "remove">,
  ) {}

  /** From now on it is given frames. */
  open(socket: ServerWebSocket<unknown>): void {
    this.#socket = socket;
    this.lives.add(this);
  }

  close(): void {
    this.#socket = null;
    this.lives.remove(this);
  }

  /** What the connection has not taken yet: a part of one message at most. */
  get waitingBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  /** The connection has taken everything. */
  drained(): void {
    this.#full = false;
    this.#answerClock();
  }

  /** There is news of the stream itself: told before the next frame. */
  streamChanged(): void {
    this.#streamUntold = true;
  }

  take(request: LiveRequest): void {
    switch (request.type) {
      case "wish": {
        const { type, ...wish } = request;
        this.wish = { ...this.wish, ...wish };
        this.#dueMs = atOnce;
        return;
      }
      case "got":
        this.#unanswered = Math.max(0, this.#unanswered - (request.frames ?? 1));
        return;
      case "clock":
        // One answer at most waits: a late one is of no use to anybody.
        this.#clockAsked = request.id;
        this.#answerClock();
    }
  }

  /** Tells what the stream is now, where that is news and the connection takes it. */
  tellStream(message: () => LiveMessage | null): void {
    if (!this.#streamUntold || this.#full) return;
    const told = message();
    if (told === null) return;
    this.#streamUntold = false;
    this.#send(told);
  }

  /** Whether a frame would go out now. */
  ready(nowMs: number): boolean {
    const { window } = this.wish;
    if (this.#full || this.#streamUntold || nowMs < this.#dueMs) return false;
    return window === null || this.#unanswered < window;
  }

  give(shot: Shot, nowMs: number): void {
    const { generation, sequence } = shot;
    const { last } = this;
    // The first of a generation misses nothing: a new viewer has not asked for what was before it.
    const before = last.generation === generation ? last.sequence : sequence - 1n;
    const held = shot.payload?.kind === "frames" ? BigInt(shot.payload.frames.length) : 1n;
    const missed = sequence - before - held;
    this.last = { generation, sequence };
    this.#unanswered++;
    this.#dueMs = nextDue(this.#dueMs, nowMs, this.wish.maxRate);
    this.#send({
      type: "frame",
      ...shot,
      missed: missed > 0n ? missed : 0n,
      sentTimeNs: monotonicNs(),
    });
  }

  #answerClock(): void {
    const id = this.#clockAsked;
    if (id === null || this.#full) return;
    this.#clockAsked = null;
    this.#send({ type: "clock", id, monotonicNs: monotonicNs(), utcNs: utcNs() });
  }

  #send(message: LiveMessage): void {
    const socket = this.#socket;
    if (!socket) return;
    // -1: a part of it waits here; 0: it was dropped. Either way nothing more until the connection has taken all.
    this.#full = socket.send(packr.pack(message)) <= 0;
  }
}

/** On an even beat, so that 25 of 30 frames a second come as 25 and not as 15; one that was late starts a new beat. */
function nextDue(dueMs: number, nowMs: number, maxRate: number | null): number {
  if (maxRate === null) return atOnce;
  const periodMs = 1000 / maxRate;
  return (nowMs - dueMs < periodMs ? dueMs : nowMs) + periodMs;
}
