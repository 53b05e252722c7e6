/** The newest frames of a stream of small ones, read once for all who look at it. */
import type { FrameNumbers } from "../api/live-messages.ts";
import type { Stream } from "../streams/stream.ts";
import { numbersOf } from "./live-stream.ts";

/** What one message carries at most, and so what a viewer that was slow is given at once. */
const bytesMax = 256 << 10;
/** About what a frame's numbers take beside its data, and at most what each byte of its fields does. */
const [headBytes, bytesOfFieldByte] = [256, 9];

type SmallFrame = FrameNumbers & { data: Uint8Array };

export class History {
  #generation = "";
  /** Of a slot. */
  #fieldsBytes = 0;
  /** Oldest first. */
  #frames: SmallFrame[] = [];

  /** The frames after sequence `after` up to `latest`, the newest ones where they are too many. None: `why`. */
  since(stream: Stream, after: bigint, latest: bigint): { frames: SmallFrame[]; why: string } {
    if (this.#generation !== stream.generation) {
      this.#generation = stream.generation;
      this.#fieldsBytes = stream.segment.header.fieldsCapacity;
      this.#frames = [];
    }
    const why = this.#read(stream, after, latest);
    return { frames: this.#frames.filter(({ sequence }) => sequence > after), why };
  }

  #read(stream: Stream, after: bigint, latest: bigint): string {
    const { segment } = stream;
    const known = this.#frames.at(-1)?.sequence ?? 0n;
    const readable = BigInt(segment.header.slotCount - 1);
    // Without a hole, whoever asks: another viewer may be further behind.
    let from = known > 0n ? known : after;
    if (latest - from > readable) from = latest - readable;
    for (let seq = from + 1n; seq <= latest; seq++) {
      const head = segment.head(seq);
      if (head && head.payloadBytes > bytesMax) {
        return `a frame of ${head.payloadBytes} B has no preview; ask for raw`;
      }
      const frame = head && segment.frame(seq);
      if (frame) this.#frames.push({ ...numbersOf(frame), data: frame.payload });
    }
    this.#drop();
    return "it was overwritten while it was read";
  }

  #drop(): void {
    let bytes = 0;
    const keep = this.#frames.findLastIndex((frame) => {
      bytes += frame.data.byteLength + headBytes + this.#fieldsBytes * bytesOfFieldByte;
      return bytes > bytesMax;
    });
    this.#frames.splice(0, Math.min(keep + 1, this.#frames.length - 1)); // the newest stays
  }
}
