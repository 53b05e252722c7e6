/**
 * One stream's pictures without a WebSocket, where something on the way lets none through: `latest.jpg`, asked
 * for again and again. What comes has the form of a live frame, so that views need not know.
 */
import type { FrameMessage } from "../../api/live-messages.ts";
import type { FrameNumbersBody } from "../../api/schemas.ts";
import { pictureSize } from "../../pictures/picture-size.ts";
import { compareClocks } from "./hub-clock.ts";

/** The hub encodes each one whole: not as often as the socket's small ones. */
const periodMs = 500;
const patienceMs = 5000;

export class StillFeed {
  #timer = 0;
  #etag = "";
  #last: Pick<FrameMessage, "generation" | "sequence"> = { generation: "", sequence: 0n };

  /**
   * @param take resolves when the frame is painted
   * @param fail is given why none came, for people
   */
  constructor(
    private readonly url: string,
    private readonly pixelFormat: string | undefined,
    private readonly take: (frame: FrameMessage) => Promise<void>,
    private readonly fail: (words: string) => void,
  ) {}

  start(): void {
    if (this.#timer === 0) this.#timer = window.setTimeout(() => this.#ask());
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
  }

  async #ask(): Promise<void> {
    const timer = this.#timer;
    try {
      const frame = await this.#newest();
      // Stopped meanwhile, and perhaps started again.
      if (timer !== this.#timer) return;
      if (frame) await this.take(frame);
    } catch (error) {
      this.fail((error as Error).message);
    }
    if (timer === this.#timer) this.#timer = window.setTimeout(() => this.#ask(), periodMs);
  }

  /** Null where there is none newer than the last one. */
  async #newest(): Promise<FrameMessage | null> {
    const askedAtMs = performance.now();
    const response = await fetch(this.url, {
      // Its own copy would come as if it were new.
      cache: "no-store",
      headers: { "If-None-Match": this.#etag },
      signal: AbortSignal.timeout(patienceMs),
    });
    if (response.status === 304) return null;
    if (!response.ok) throw new Error(((await response.json()) as { detail: string }).detail);
    const numbers = JSON.parse(response.headers.get("Streamem-Frame") ?? "") as FrameNumbersBody;
    const frame = frameOf(numbers, this.#last);
    compareClocks(frame.sentTimeNs, askedAtMs, performance.now());
    const data = new Uint8Array(await response.arrayBuffer());
    this.#etag = response.headers.get("ETag") ?? "";
    this.#last = frame;
    const size = pictureSize(this.pixelFormat, frame.shape);
    return { ...frame, payload: { kind: "jpeg", ...size, data } };
  }
}

function frameOf(
  { ageNs, captureTimeNs, ...numbers }: FrameNumbersBody,
  last: Pick<FrameMessage, "generation" | "sequence">,
): FrameMessage {
  const optional = (text: string | null) => (text === null ? null : BigInt(text));
  const { generation, shape, payloadBytes, clockEpoch } = numbers;
  const sequence = BigInt(numbers.sequence);
  const publishTimeNs = BigInt(numbers.publishTimeNs);
  return {
    type: "frame",
    generation,
    sequence,
    missed: generation === last.generation ? sequence - last.sequence - 1n : 0n,
    rate: null,
    shape,
    payloadBytes,
    clockEpoch,
    publishTimeNs,
    publishUtcNs: BigInt(numbers.publishUtcNs),
    deviceTime: optional(numbers.deviceTime),
    captureTimeNs: optional(captureTimeNs),
    timeErrorNs: optional(numbers.timeErrorNs),
    sentTimeNs: BigInt(captureTimeNs ?? publishTimeNs) + BigInt(ageNs),
    arrivalTimeNs: null,
    fields: {},
    payload: null,
  };
}
