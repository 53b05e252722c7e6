/** The newest frame of a stream, and pictures of it that are made only once. */
import { encodeJpeg } from "../pictures/jpeg.ts";
import { NotAPicture, pictureOf } from "../pictures/pictures.ts";
import type { Picture } from "../pictures/pixels.ts";
import { encodePng } from "../pictures/png.ts";
import type { SegmentFrame } from "../ring/segment.ts";
import type { Stream } from "../streams/stream.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import { findStream, reading } from "./find.ts";
import { Problem } from "./problem.ts";

/** A ring that claims more is not copied into the hub's memory. */
const payloadBytesMax = 1 << 30;

const formats = ["jpg", "png"] as const;
export type PictureFormat = (typeof formats)[number];
export type Bytes = Uint8Array<ArrayBuffer>;

export interface NewestFrame {
  stream: Stream;
  frame: SegmentFrame & { payload: Bytes };
}

export interface Encoded {
  stream: Stream;
  frame: SegmentFrame;
  etag: string;
  bytes: Bytes;
}

function encode(format: PictureFormat, picture: Picture): Promise<Bytes> {
  return format === "jpg" ? encodeJpeg(picture) : encodePng(picture);
}

/** A strong tag: a sequence is never used twice in a generation. */
export function etagOf(generation: string, sequence: bigint): string {
  return `"${generation}.${sequence}"`;
}

/** The tag of what {@link newestFrame} would give, without copying it. */
export function newestEtag(registry: StreamRegistry, name: string): string {
  return reading(registry, name, () => {
    const stream = findStream(registry, name);
    const { latest } = stream.segment.hot();
    if (latest === 0n) throw noFrame(name);
    return etagOf(stream.generation, latest);
  });
}

export function newestHead(registry: StreamRegistry, name: string) {
  return reading(registry, name, () => {
    const stream = findStream(registry, name);
    const frame = stream.segment.head();
    if (!frame) throw missing(stream);
    return { stream, frame };
  });
}

/** A checked copy: what happens to the ring afterwards does not matter. */
export function newestFrame(registry: StreamRegistry, name: string): NewestFrame {
  return reading(registry, name, () => {
    const stream = findStream(registry, name);
    const head = stream.segment.head();
    if (head && head.payloadBytes > payloadBytesMax) throw tooLarge(name, head.payloadBytes);
    const frame = head && stream.segment.frame();
    if (!frame) throw missing(stream);
    return { stream, frame: { ...frame, payload: frame.payload as Bytes } };
  });
}

/** Keeps the newest picture of each stream and format, and makes one at a time. */
export class Pictures {
  readonly #registry: StreamRegistry;
  readonly #newest = new Map<string, Encoded>();
  readonly #making = new Map<string, Promise<Encoded>>();

  constructor(registry: StreamRegistry) {
    this.#registry = registry;
    registry.subscribe(({ type, stream }) => {
      if (type === "gone") this.#forget(stream.name);
    });
  }

  /** At least as new as the call: one that is being made already may be older, the next one is not. */
  async get(name: string, format: PictureFormat): Promise<Encoded> {
    const key = `${name}/${format}`;
    await this.#making.get(key)?.catch(() => {});
    const shared = this.#making.get(key);
    if (shared) return shared;
    const kept = this.#newest.get(key);
    if (kept && kept.etag === newestEtag(this.#registry, name)) return kept;
    const making = this.#make(name, format)
      .then((made) => {
        this.#newest.set(key, made);
        return made;
      })
      .finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(name: string, format: PictureFormat): Promise<Encoded> {
    const { stream, frame } = newestFrame(this.#registry, name);
    const etag = etagOf(stream.generation, frame.seq);
    const { descriptor } = stream.segment;
    // Kept as long as the picture is: without the pixels.
    const { payload: _, ...head } = frame;
    try {
      const bytes = await encode(format, pictureOf(descriptor, frame));
      return { stream, frame: head, etag, bytes };
    } catch (error) {
      if (error instanceof NotAPicture) throw noPicture(name, format, error.message);
      throw error;
    }
  }

  #forget(name: string): void {
    for (const format of formats) this.#newest.delete(`${name}/${format}`);
  }
}

function noPicture(name: string, format: PictureFormat, why: string): Problem {
  const latest = `/api/v1/streams/${name}/latest`;
  const allowed = [`${latest}.npy`, `${latest}.bin`, latest];
  return new Problem({
    status: 406,
    kind: "not-a-picture",
    title: "Not a picture",
    detail: `Stream "${name}" has no .${format}. ${why} Its frames are at ${allowed.join(", ")}.`,
    members: { allowed },
  });
}

function missing(stream: Stream): Problem {
  return stream.segment.hot().latest === 0n ? noFrame(stream.name) : lapped(stream.name);
}

function noFrame(name: string): Problem {
  return new Problem({
    status: 404,
    kind: "no-frame-yet",
    title: "No frame yet",
    detail: `Stream "${name}" is there, but nothing has been published in it yet.`,
    headers: { "Retry-After": "1" },
  });
}

function lapped(name: string): Problem {
  return new Problem({
    status: 503,
    kind: "no-whole-frame",
    title: "No whole frame",
    detail: `No frame of stream "${name}" stayed whole while it was read: its writer overwrites them faster, or has left a torn one. More slots give readers more time.`,
    headers: { "Retry-After": "1" },
  });
}

function tooLarge(name: string, bytes: number): Problem {
  return new Problem({
    status: 413,
    kind: "frame-too-large",
    title: "Frame too large",
    detail: `A frame of stream "${name}" has ${bytes} B; over HTTP at most ${payloadBytesMax} B are served. Read it from shared memory.`,
  });
}
