/** A connection to one source. Whatever a capture gave must be freed, by the function of its type. */
import type { Ndi } from "./load.ts";
import {
  type AudioFrame,
  bandwidth,
  colorFormat,
  type MetadataFrame,
  receiverPerformance,
  receiverQueue,
  receiverSettings,
  sourceStruct,
  type VideoFrame,
} from "./structs.ts";
import type { Handle } from "./symbols.ts";

export interface ReceiverOptions {
  /** `bgrxBgra` unless said otherwise: see {@link colorFormat}. */
  colorFormat?: keyof typeof colorFormat;
  bandwidth?: keyof typeof bandwidth;
  /** Shown to the sender. */
  name?: string;
}

export class Receiver {
  readonly #ndi: Ndi;
  readonly #handle: Handle;
  readonly #total = receiverPerformance();
  readonly #dropped = receiverPerformance();
  readonly #queue = receiverQueue();

  /** Connected to nothing yet. Fields of an interlaced source come as whole pictures. */
  constructor(ndi: Ndi, options: ReceiverOptions = {}) {
    this.#ndi = ndi;
    const settings = receiverSettings();
    settings.colorFormat = colorFormat[options.colorFormat ?? "bgrxBgra"];
    settings.bandwidth = bandwidth[options.bandwidth ?? "highest"];
    settings.receiverName = options.name ?? "streamem";
    const handle = ndi.symbols.NDIlib_recv_create_v3(settings.bytes);
    if (handle === null) throw new Error("NDIlib_recv_create_v3 gave no receiver");
    this.#handle = handle;
  }

  /**
   * @param address `ip:port`, which is not checked against any name: another source may have that port by now. Null
   *   leaves the one it had: a receiver whose connection is refused takes a whole core until then.
   */
  connect(address: string | null): void {
    if (address === null) return this.#ndi.symbols.NDIlib_recv_connect(this.#handle, null);
    const source = sourceStruct();
    source.address = address;
    this.#ndi.symbols.NDIlib_recv_connect(this.#handle, source.bytes);
  }

  /**
   * Blocks this thread until there is a frame, `waitMs` at most; fills the struct of its type only. A null struct
   * leaves frames of its type out.
   * @returns one of `frameType`; `none` is also what a lost sender gives
   */
  capture(
    video: VideoFrame | null,
    audio: AudioFrame | null,
    metadata: MetadataFrame | null,
    waitMs: number,
  ): number {
    return this.#ndi.symbols.NDIlib_recv_capture_v3(
      this.#handle,
      video?.bytes ?? null,
      audio?.bytes ?? null,
      metadata?.bytes ?? null,
      waitMs,
    );
  }

  freeVideo(frame: VideoFrame): void {
    this.#ndi.symbols.NDIlib_recv_free_video_v2(this.#handle, frame.bytes);
  }

  freeAudio(frame: AudioFrame): void {
    this.#ndi.symbols.NDIlib_recv_free_audio_v3(this.#handle, frame.bytes);
  }

  freeMetadata(frame: MetadataFrame): void {
    this.#ndi.symbols.NDIlib_recv_free_metadata(this.#handle, frame.bytes);
  }

  /** 0 within 0.05 s after the sender ended; a sender that hangs, or is out of reach, still counts. */
  connections(): number {
    return this.#ndi.symbols.NDIlib_recv_get_no_connections(this.#handle);
  }

  /** Frames since the receiver was made, and those of them that libndi dropped because nobody captured them in time. */
  performance() {
    const [total, dropped] = [this.#total, this.#dropped];
    this.#ndi.symbols.NDIlib_recv_get_performance(this.#handle, total.bytes, dropped.bytes);
    return {
      total: { video: Number(total.video), audio: Number(total.audio) },
      dropped: { video: Number(dropped.video), audio: Number(dropped.audio) },
    };
  }

  /** Frames that wait to be captured. */
  queue(): { video: number; audio: number; metadata: number } {
    this.#ndi.symbols.NDIlib_recv_get_queue(this.#handle, this.#queue.bytes);
    const { video, audio, metadata } = this.#queue;
    return { video, audio, metadata };
  }

  close(): void {
    this.#ndi.symbols.NDIlib_recv_destroy(this.#handle);
  }
}
