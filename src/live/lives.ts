/** All streams that somebody looks at through the API. With nobody there is no timer and nothing is read. */
import type { LiveMessage } from "../api/live-messages.ts";
import { logFor } from "../log/log.ts";
import { LayoutError } from "../ring/layout.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import { type LiveCounters, LiveStream } from "./live-stream.ts";
import type { Viewer } from "./viewer.ts";

/** How often rings are looked at while somebody is there: half of it is what this adds to the age of a picture. */
const tickMs = 4;
/** A ring that was retired has a successor within milliseconds; the registry's own look would come later. */
const rescanMs = 50;

export class Lives {
  readonly counters: LiveCounters = { previews: 0, sent: 0 };
  readonly #streams = new Map<string, LiveStream>();
  readonly #log = logFor("live");
  #timer: Timer | null = null;
  #rescannedMs = 0;

  constructor(
    private readonly registry: StreamRegistry,
    /** What there is to tell of a stream now: its body, or that it is gone; null where it cannot be read now. */
    private readonly tell: (name: string) => LiveMessage | null,
  ) {
    registry.subscribe(({ stream }) => {
      for (const viewer of this.#streams.get(stream.name)?.viewers ?? []) viewer.streamChanged();
    });
  }

  get viewers(): Viewer[] {
    return [...this.#streams.values()].flatMap(({ viewers }) => [...viewers]);
  }

  add(viewer: Viewer): void {
    const { stream } = viewer;
    const live = this.#streams.get(stream) ?? new LiveStream(stream, this.counters);
    this.#streams.set(stream, live);
    live.viewers.add(viewer);
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
    this.#look(live);
  }

  remove(viewer: Viewer): void {
    const live = this.#streams.get(viewer.stream);
    if (!live?.viewers.delete(viewer) || live.viewers.size > 0) return;
    this.#streams.delete(viewer.stream);
    if (this.#streams.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    for (const live of [...this.#streams.values()]) this.#look(live);
  }

  /** Whatever one ring does to its reader stays with that ring. */
  #look(live: LiveStream): void {
    try {
      const stream = this.registry.get(live.name);
      live.tick(stream, () => this.tell(live.name));
      if (stream?.segment.hot().retired) this.#rescan();
    } catch (error) {
      const ring = error instanceof LayoutError || (error instanceof Error && "code" in error);
      if (!ring) this.#log.error(`${live.name}: ${(error as Error).stack ?? error}`);
      this.#rescan();
    }
  }

  #rescan(): void {
    const nowMs = performance.now();
    if (nowMs - this.#rescannedMs < rescanMs) return;
    this.#rescannedMs = nowMs;
    this.registry.scan();
  }
}
