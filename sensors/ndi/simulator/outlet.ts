/** Where one source's pictures and sound leave for libndi, or do not while a fault holds them back. */
import type { Ndi } from "../libndi/load.ts";
import { Sender } from "../libndi/sender.ts";
import { audioFrame, fourCC, frameFormat, undefinedTime, videoFrame } from "../libndi/structs.ts";
import { addressOf } from "../libndi/symbols.ts";

export interface Picture {
  width: number;
  height: number;
  fourCC: number;
  strideBytes: number;
  data: Uint8Array;
}

export interface Sound {
  sampleRateHz: number;
  channels: number;
  samples: number;
  /** Channel by channel. */
  planes: Float32Array;
  strideBytes: number;
}

/** Long enough to be missed where nobody frees it. */
export const aloneXml = `<streamem>${"alone ".repeat(2000)}</streamem>`;

export class Outlet {
  /** Nothing of it is sent. */
  dark = false;
  silent = false;
  /** Nothing at all is sent, the connection stays. */
  frozen = false;
  metadata = false;
  readonly #ndi: Ndi;
  readonly #groups: string[];
  readonly #video = videoFrame();
  readonly #audio = audioFrame();
  #sender: Sender | null = null;

  constructor(
    ndi: Ndi,
    readonly name: string,
    groups: string[],
  ) {
    this.#ndi = ndi;
    this.#groups = groups;
    this.open();
  }

  /** `MACHINE (name)`; null while it is not open. */
  get fullName(): string | null {
    return this.#sender?.fullName ?? null;
  }

  open(): void {
    // Paced by whoever makes the pictures: this thread also hears signals.
    const options = { name: this.name, groups: this.#groups, paced: false };
    this.#sender ??= new Sender(this.#ndi, options);
  }

  close(): void {
    this.#sender?.close();
    this.#sender = null;
  }

  /** Encoded in the meantime: the data may be written anew afterwards. */
  picture({ data, ...form }: Picture, rate: { rateN: number; rateD: number }): void {
    if (this.dark || this.frozen || this.#sender === null) return;
    const frame = Object.assign(this.#video, form, rate);
    frame.frameFormat = frameFormat.progressive;
    frame.timecode = undefinedTime;
    frame.data = addressOf(data);
    frame.xml = this.metadata ? "<streamem/>" : null;
    this.#sender.sendVideo(frame);
    if (this.metadata) this.#sender.sendMetadata(aloneXml);
  }

  sound({ planes, strideBytes, ...form }: Sound): void {
    if (this.silent || this.frozen || this.#sender === null) return;
    const frame = Object.assign(this.#audio, form);
    frame.channelStrideBytes = strideBytes;
    frame.timecode = undefinedTime;
    frame.fourCC = fourCC.FLTP;
    frame.data = addressOf(planes);
    this.#sender.sendAudio(frame);
  }
}
