/** Pictures of one stream in one size: the newest, made small and encoded once. */
import type { Payload } from "../api/live-messages.ts";
import { SmallJpegs } from "../pictures/jpeg.ts";
import { NotAPicture, pictureLayout, pixelFormatOf } from "../pictures/pictures.ts";
import { factorFor, Shrinker } from "../pictures/shrink.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import type { SegmentFrame } from "../ring/segment.ts";
import type { Stream } from "../streams/stream.ts";
import type { Shot } from "./viewer.ts";

export function isPicture(descriptor: Descriptor): boolean {
  return pixelFormatOf(descriptor) !== null;
}

export class PicturePreview {
  /** Whether one is being made. There is none to be had then: its memory is written to. */
  busy = false;
  #shot: Shot | null = null;
  readonly #shrinker = new Shrinker();
  readonly #jpegs = new SmallJpegs();

  constructor(private readonly maxWidth: number) {}

  /** The newest, if it is of this frame. */
  shotOf(generation: string, sequence: bigint): Shot | null {
    const shot = this.#shot;
    return shot?.generation === generation && shot.sequence === sequence ? shot : null;
  }

  /**
   * Makes one of the frame `head`; `done` is called unless it is overwritten meanwhile. Throws what reading a ring
   * throws; the stream is not touched any more once this has returned.
   */
  make(stream: Stream, head: SegmentFrame, shot: Shot, done: (shot: Shot) => void): void {
    this.#shot = null;
    const payload = this.#payload(stream, head);
    if (!payload) return;
    this.busy = true;
    void payload.then((payload) => {
      this.busy = false;
      this.#shot = { ...shot, payload };
      done(this.#shot);
    });
  }

  /** Null where the frame was overwritten while it was read. */
  #payload({ segment }: Stream, head: SegmentFrame): Promise<Payload> | null {
    const place = { fd: segment.fd, offset: segment.payloadOffset(head.seq) };
    try {
      const layout = pictureLayout(segment.descriptor, head);
      const factor = factorFor(layout, this.maxWidth);
      if (layout.format === "gray16le") {
        const data = this.#shrinker.pick(layout, place, factor);
        const [width, height] = [layout.width, layout.height].map((length) =>
          Math.floor(length / factor),
        );
        const payload = { kind: "gray16", width, height, factor, data } as Payload;
        return segment.still(head.seq) ? Promise.resolve(payload) : null;
      }
      const small = this.#shrinker.shrink(layout, place, factor);
      if (!segment.still(head.seq)) return null;
      const { width, height } = small;
      return this.#jpegs.encode(small).then(
        (data) => ({ kind: "jpeg", width, height, data }),
        (error: Error) => ({ kind: "nothing", why: `it cannot be encoded: ${error.message}` }),
      );
    } catch (error) {
      if (!(error instanceof NotAPicture)) throw error;
      return Promise.resolve({ kind: "nothing", why: error.message });
    }
  }
}
