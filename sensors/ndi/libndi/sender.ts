/** A source of one's own: what the simulator and tests send. */
import type { Ndi } from "./load.ts";
import {
  type AudioFrame,
  metadataFrame,
  senderSettings,
  undefinedTime,
  type VideoFrame,
} from "./structs.ts";
import { type Handle, pointerAt, textAt } from "./symbols.ts";

export interface SenderOptions {
  /** Others see it as `MACHINE (name)`. */
  name: string;
  groups?: string[];
  /** Whether `sendVideo` waits until the frame before has had its time. */
  paced?: boolean;
}

export class Sender {
  readonly #ndi: Ndi;
  readonly #handle: Handle;

  constructor(ndi: Ndi, { name, groups = [], paced = true }: SenderOptions) {
    this.#ndi = ndi;
    const settings = senderSettings();
    settings.name = name;
    settings.groups = groups.join(",") || null;
    settings.clockVideo = paced ? 1 : 0;
    const handle = ndi.symbols.NDIlib_send_create(settings.bytes);
    if (handle === null) {
      throw new Error(
        `libndi gives no sender of the name "${name}": another program of this machine sends under it, or another user has left /tmp/NTK_SEND_${name}. Choose another name.`,
      );
    }
    this.#handle = handle;
  }

  /** `MACHINE (name)`, as others see it. */
  get fullName(): string {
    const source = this.#ndi.symbols.NDIlib_send_get_source_name(this.#handle);
    return (source !== null && textAt(pointerAt(source, 0))) || "";
  }

  /** Blocks until the frame is coded, and where it is paced until it is due. Its data may be reused then. */
  sendVideo(frame: VideoFrame): void {
    this.#ndi.symbols.NDIlib_send_send_video_v2(this.#handle, frame.bytes);
  }

  sendAudio(frame: AudioFrame): void {
    this.#ndi.symbols.NDIlib_send_send_audio_v3(this.#handle, frame.bytes);
  }

  /** @param xml to every receiver, apart from any picture */
  sendMetadata(xml: string): void {
    const frame = metadataFrame();
    frame.xml = xml;
    frame.lengthBytes = Buffer.byteLength(xml) + 1;
    frame.timecode = undefinedTime;
    this.#ndi.symbols.NDIlib_send_send_metadata(this.#handle, frame.bytes);
  }

  /** Receivers that are connected. */
  connections(): number {
    return this.#ndi.symbols.NDIlib_send_get_no_connections(this.#handle, 0);
  }

  close(): void {
    this.#ndi.symbols.NDIlib_send_destroy(this.#handle);
  }
}
