/**
 * One stream's frames over its live socket, as long as somebody looks. The next frame is asked for when
 * the one before is on the screen: a slow page gets fewer and never older ones.
 */
import { signal } from "@preact/signals";
import { Packr, Unpackr } from "msgpackr/index-no-eval";
import type { FrameMessage, LiveMessage, LiveRequest, Wish } from "../../api/live-messages.ts";
import type { StreamBody } from "../../api/schemas.ts";
import { away } from "./hub.ts";
import { compareClocks } from "./hub-clock.ts";
import { ShownMeter } from "./shown.ts";
import { StillFeed } from "./still-feed.ts";

/** Resolves when it is painted. */
export type Show = (frame: FrameMessage) => void | Promise<void>;

const showNothing: Show = () => {};

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: "bigint" });

/** Two under way: one is painted while the next one travels. */
const windowFrames = 2;
const askPeriodMs = 2000;
/** The clock is asked for more often than that: a socket that says nothing for so long hangs. */
const silenceMs = 5000;
const retryMs = 1000;
/** So many sockets in a row of which nothing was heard, while the hub answers: something on the way lets none through. */
const unheardMax = 2;
const blockedRetryMs = 10_000;

/** Whether sockets do not get through to the hub: then pictures come over HTTP, and nothing else does. */
export const blocked = signal(false);

export class LiveFeed {
  readonly meter = new ShownMeter();
  /** What stands in the way of showing anything, for people. */
  trouble = "";
  /** What came last; its payload may be large, and is not kept. */
  newest: Omit<FrameMessage, "payload"> | null = null;
  readonly #url: string;
  #wish: Pick<Wish, "payload" | "maxWidth" | "maxRate">;
  #socket: WebSocket | null = null;
  #show = showNothing;
  #heardAtMs = 0;
  /** Anything at all on this socket. */
  #heard = false;
  #asked = new Map<number, number>();
  #timer = 0;
  #wanted = false;
  #unheard = 0;
  readonly #stills: StillFeed | null;

  constructor(stream: StreamBody, wish: Partial<Pick<Wish, "maxWidth" | "maxRate">>) {
    const { protocol, host } = window.location;
    const scheme = protocol === "https:" ? "wss:" : "ws:";
    this.#url = `${scheme}//${host}/api/v1/streams/${stream.name}/live`;
    const fail = (words: string) => {
      this.trouble = words;
    };
    const { jpg } = stream.links;
    this.#stills = jpg
      ? new StillFeed(jpg, stream.pixelFormat, (frame) => this.#paint(frame), fail)
      : null;
    this.#wish = { payload: "preview", maxWidth: 640, maxRate: null, ...wish };
  }

  /**
   * `show` takes every frame from now on. What it gives ends that; not for a view that has taken its
   * place, which may be there before the old one is cleared away.
   */
  onFrame(show: Show): () => void {
    this.#show = show;
    return () => {
      if (this.#show === show) this.#show = showNothing;
    };
  }

  /** Nothing is scaled or sent for whoever does not look. */
  look(looking: boolean): void {
    if (looking === this.#wanted) return;
    this.#wanted = looking;
    window.clearTimeout(this.#timer);
    if (looking) {
      this.#connect();
      if (blocked.value) this.#goOverHttp();
    } else {
      this.#drop();
      this.#stills?.stop();
    }
  }

  close(): void {
    this.look(false);
    this.#show = showNothing;
  }

  #connect(): void {
    const { payload, maxWidth, maxRate } = this.#wish;
    const query = new URLSearchParams({ payload, maxWidth: String(maxWidth) });
    query.set("window", String(windowFrames));
    if (maxRate !== null) query.set("maxRate", String(maxRate));
    const socket = new WebSocket(`${this.#url}?${query}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heardAtMs = performance.now();
    this.#heard = false;
    this.#asked.clear();
    socket.onopen = () => this.#beat(socket);
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = () => this.#lost(socket);
    this.#timer = window.setTimeout(() => this.#beat(socket), askPeriodMs);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Also when the hub is not there: the page asks for the streams meanwhile, and says so. */
  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    window.clearTimeout(this.#timer);
    if (!this.#wanted) return;
    this.#unheard = this.#heard || away.value ? 0 : this.#unheard + 1;
    const isBlocked = this.#unheard >= unheardMax;
    if (isBlocked) this.#goOverHttp();
    const waitMs = isBlocked ? blockedRetryMs : retryMs;
    this.#timer = window.setTimeout(() => this.#connect(), waitMs);
  }

  #goOverHttp(): void {
    blocked.value = true;
    this.#stills?.start();
    if (!this.#stills) this.trouble = "Comes over a WebSocket alone, and none gets through";
  }

  #beat(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    window.clearTimeout(this.#timer);
    const now = performance.now();
    if (now - this.#heardAtMs > silenceMs) {
      // close() waits for the other side, which is what does not answer.
      socket.onclose = null;
      socket.close();
      this.#lost(socket);
      return;
    }
    if (socket.readyState === WebSocket.OPEN) {
      const id = Math.round(now);
      this.#asked.set(id, now);
      this.#send(socket, { type: "clock", id });
    }
    this.#timer = window.setTimeout(() => this.#beat(socket), askPeriodMs);
  }

  #send(socket: WebSocket, request: LiveRequest): void {
    if (socket.readyState === WebSocket.OPEN)
      socket.send(packr.pack(request) as Uint8Array<ArrayBuffer>);
  }

  #hear(socket: WebSocket, data: ArrayBuffer | string): void {
    if (socket !== this.#socket) return;
    this.#heardAtMs = performance.now();
    this.#heard = true;
    this.#stills?.stop();
    blocked.value = false;
    if (typeof data === "string") {
      this.trouble = problemWords(data);
      return;
    }
    const message = unpackr.unpack(new Uint8Array(data)) as LiveMessage;
    if (message.type === "clock") {
      const askedAtMs = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (askedAtMs !== undefined) {
        compareClocks(BigInt(message.monotonicNs), askedAtMs, this.#heardAtMs);
      }
    } else if (message.type === "frame") {
      this.#take(socket, message);
    }
  }

  async #take(socket: WebSocket, frame: FrameMessage): Promise<void> {
    await this.#paint(frame);
    this.#send(socket, { type: "got" });
  }

  async #paint(frame: FrameMessage): Promise<void> {
    const { payload: _, ...numbers } = frame;
    this.newest = numbers;
    try {
      await this.#show(frame);
      this.meter.see(frame);
      this.trouble = frame.payload?.kind === "nothing" ? frame.payload.why : "";
    } catch (error) {
      this.trouble = `This frame cannot be shown: ${(error as Error).message}`;
    }
  }
}

function problemWords(text: string): string {
  try {
    return (JSON.parse(text) as { detail: string }).detail;
  } catch {
    return text;
  }
}
