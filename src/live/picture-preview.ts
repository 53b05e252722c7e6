/** Pictures of one stream in one size: the newest, made small and encoded once. */
import type { Payload } from "../api/live-messages.ts";
import { encodeJpeg } from "../pictures/jpeg.ts";
import { NotAPicture, pictureOf, pixelFormatOf } from "../pictures/pictures.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import type { SegmentFrame } from "../ring/segment.ts";
import type { Stream } from "../streams/stream.ts";
import type { Shot } from "./viewer.ts";

export function isPicture(descriptor: Descriptor): boolean {
  return pixelFormatOf(descriptor) !== null;
}

export class PicturePreview {
  /** The newest that was made. */
  shot: Shot | null = null;
  busy = false;

  constructor(readonly maxWidth: number) {}

  is(generation: string, sequence: bigint): boolean {
    return this.shot?.generation === generation && this.shot.sequence === sequence;
  }

  /** Makes one of the frame `head`, unless it is overwritten meanwhile; then `done` is not called. */
  make(stream: Stream, head: SegmentFrame, shot: Shot, done: (shot: Shot) => void): void {
    this.busy = true;
    void this.#payload(stream, head)
      .then((payload) => {
        this.busy = false;
        if (!payload) return;
        this.shot = { ...shot, payload };
        done(this.shot);
      })
      .catch((error) => {
        this.busy = false;
        throw error;
      });
  }

  async #payload(stream: Stream, head: SegmentFrame): Promise<Payload | null> {
    const frame = stream.segment.frame(head.seq);
    if (!frame) return null;
    try {
      const picture = pictureOf(stream.segment.descriptor, frame);
      const { width, height } = picture;
      if (picture.format === "gray16le") {
        return { kind: "gray16", width, height, factor: 1, data: frame.payload };
      }
      return { kind: "jpeg", width, height, data: await encodeJpeg(picture) };
    } catch (error) {
      if (!(error instanceof NotAPicture)) throw error;
      return { kind: "nothing", why: error.message };
    }
  }
}
