/** One stream that somebody looks at: its newest frame, made ready once for all who want it in the same way. */
import type { FrameNumbers, LiveMessage, Payload, Wish } from "../api/live-messages.ts";
import type { SegmentFrame } from "../ring/segment.ts";
import { arrivalTimeNs } from "../streams/hops.ts";
import type { Stream } from "../streams/stream.ts";
import { History } from "./history.ts";
import { isPicture, PicturePreview } from "./picture-preview.ts";
import type { Shot, Viewer } from "./viewer.ts";

/** A frame of more bytes is not sent as it is. */
const rawBytesMax = 64 << 20;

export interface LiveCounters {
  /** Pictures made small and encoded: one per frame and size, however many look. */
  previews: number;
  /** Frames sent to viewers. */
  sent: number;
}

export class LiveStream {
  readonly viewers = new Set<Viewer>();
  /** The newest of each wish that is shared. */
  #shots = new Map<string, Shot>();
  /** Previews by their widest size, while somebody wants them. */
  #previews = new Map<number, PicturePreview>();
  #history = new History();
  /** The one that viewers have been told of. */
  #generation = "";

  constructor(
    readonly name: string,
    private readonly counters: LiveCounters,
  ) {}

  /** Gives the newest frame to every viewer that has not had it and can take it. Throws what reading a ring throws. */
  tick(stream: Stream | undefined, message: () => LiveMessage | null): void {
    for (const viewer of this.viewers) viewer.tellStream(message);
    this.#generation = stream?.generation ?? "";
    if (!stream) return;
    const { latest } = stream.segment.hot();
    if (latest === 0n) return;
    const nowMs = performance.now();
    for (const viewer of this.viewers) {
      const { generation, sequence } = viewer.last;
      if (generation === stream.generation && sequence >= latest) continue;
      if (viewer.ready(nowMs)) this.#serve(viewer, stream, latest, nowMs);
    }
    this.#forget();
  }

  #serve(viewer: Viewer, stream: Stream, latest: bigint, nowMs: number): void {
    const { payload, maxWidth } = viewer.wish;
    if (payload !== "preview")
      return this.#give(viewer, this.#plain(stream, latest, payload), nowMs);
    if (!isPicture(stream.segment.descriptor)) {
      return this.#give(viewer, this.#gathered(viewer, stream, latest), nowMs);
    }
    const preview = this.#previews.get(maxWidth) ?? new PicturePreview(maxWidth);
    this.#previews.set(maxWidth, preview);
    const made = preview.shotOf(stream.generation, latest);
    if (made || preview.busy) return this.#give(viewer, made, nowMs);
    const head = stream.segment.head(latest);
    if (!head) return;
    this.counters.previews++;
    preview.make(stream, head, shotOf(stream, head, null), (shot) => this.#show(shot, maxWidth));
  }

  /** A preview is ready: to all who want this one, also those who came while it was made. */
  #show(shot: Shot, maxWidth: number): void {
    // Of a ring that has ended meanwhile: after the word of the new one it would pass for a picture of now.
    if (shot.generation !== this.#generation) return;
    const nowMs = performance.now();
    for (const viewer of this.viewers) {
      const { wish, last } = viewer;
      if (wish.payload !== "preview" || wish.maxWidth !== maxWidth) continue;
      if (last.generation === shot.generation && last.sequence >= shot.sequence) continue;
      if (viewer.ready(nowMs)) this.#give(viewer, shot, nowMs);
    }
  }

  /** Read once for all viewers. */
  #plain(stream: Stream, latest: bigint, payload: "none" | "raw"): Shot | null {
    const known = this.#shots.get(payload);
    if (known?.generation === stream.generation && known.sequence === latest) return known;
    const head = stream.segment.head(latest);
    const shot = head && shotOf(stream, head, payload === "none" ? null : raw(stream, head));
    if (shot && shot.payload?.kind !== "nothing") this.#shots.set(payload, shot);
    return shot;
  }

  /** Every frame since the viewer's last one: small ones, of which each counts. */
  #gathered(viewer: Viewer, stream: Stream, latest: bigint): Shot | null {
    const { generation, sequence } = viewer.last;
    const after = generation === stream.generation ? sequence : latest - 1n;
    const { frames, why } = this.#history.since(stream, after, latest);
    const newest = frames.at(-1);
    if (!newest) {
      const head = stream.segment.head(latest);
      return head && shotOf(stream, head, { kind: "nothing", why });
    }
    const { dtype } = stream.segment.descriptor;
    const { data, ...numbers } = newest;
    return {
      ...numbers,
      generation: stream.generation,
      rate: stream.measuredRate(),
      payload: { kind: "frames", dtype, frames },
    };
  }

  #give(viewer: Viewer, shot: Shot | null, nowMs: number): void {
    if (!shot) return; // overwritten in this moment: the next tick sees a newer one
    this.counters.sent++;
    viewer.give(shot, nowMs);
  }

  /** What nobody wants any more is let go. */
  #forget(): void {
    const wanted = (test: (wish: Wish) => boolean) =>
      [...this.viewers].some(({ wish }) => test(wish));
    if (!wanted(({ payload }) => payload === "raw")) this.#shots.delete("raw");
    for (const [width, preview] of this.#previews) {
      const used = wanted(({ payload, maxWidth }) => payload === "preview" && maxWidth === width);
      if (!used && !preview.busy) this.#previews.delete(width);
    }
  }
}

function raw(stream: Stream, head: SegmentFrame): Payload {
  const { dtype } = stream.segment.descriptor;
  if (head.payloadBytes > rawBytesMax) {
    const why = `a frame of ${head.payloadBytes} B is not sent; at most ${rawBytesMax} B are`;
    return { kind: "nothing", why };
  }
  const frame = stream.segment.frame(head.seq);
  if (!frame) return { kind: "nothing", why: "it was overwritten while it was read" };
  return { kind: "raw", dtype, data: frame.payload };
}

/** A frame's numbers in the words of the messages. */
export function numbersOf({
  seq,
  header,
  shape,
  payloadBytes,
  fields,
}: SegmentFrame): FrameNumbers {
  return {
    sequence: seq,
    deviceTime: header.deviceTime,
    captureTimeNs: header.captureTimeNs,
    timeErrorNs: header.timeErrorNs,
    clockEpoch: header.clockEpoch,
    arrivalTimeNs: arrivalTimeNs({ fields }),
    publishTimeNs: header.publishTimeNs,
    publishUtcNs: header.publishUtcNs,
    shape,
    payloadBytes,
    fields,
  };
}

function shotOf(stream: Stream, head: SegmentFrame, payload: Payload | null): Shot {
  return {
    ...numbersOf(head),
    generation: stream.generation,
    rate: stream.measuredRate(),
    payload,
  };
}
