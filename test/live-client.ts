/** A viewer of a stream, as a browser would be one: WebSocket and msgpack. */
import { Packr, Unpackr } from "msgpackr";
import type {
  FrameMessage,
  LiveMessage,
  LiveRequest,
  StreamMessage,
} from "../src/api/live-messages.ts";
import { until } from "./rings.ts";

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

export class LiveClient {
  readonly messages: LiveMessage[] = [];
  readonly texts: string[] = [];
  closed: { code: number; reason: string } | null = null;
  #socket: WebSocket;

  /** `url` of the hub, with http. */
  constructor(url: string, stream: string, query = "", headers: Record<string, string> = {}) {
    const address = `${url.replace("http", "ws")}/api/v1/streams/${stream}/live${query}`;
    this.#socket = new WebSocket(address, { headers } as never);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.texts.push(data);
      else this.messages.push(unpackr.unpack(new Uint8Array(data)) as LiveMessage);
    };
    this.#socket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
    };
  }

  async opened(): Promise<this> {
    await until(() => this.#socket.readyState === WebSocket.OPEN || this.closed !== null);
    return this;
  }

  send(request: LiveRequest): void {
    this.sendBytes(packr.pack(request));
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.#socket.send(bytes as never);
  }

  of<Type extends LiveMessage["type"]>(type: Type): Extract<LiveMessage, { type: Type }>[] {
    return this.messages.filter((message) => message.type === type) as never;
  }

  get frames(): FrameMessage[] {
    return this.of("frame");
  }

  get streams(): StreamMessage["stream"][] {
    return this.of("stream").map(({ stream }) => stream);
  }

  /** The first frame after those that have come already for which the test holds. */
  async frame(test: (frame: FrameMessage) => boolean = () => true): Promise<FrameMessage> {
    const from = this.messages.length;
    return await until(() =>
      this.messages
        .slice(from)
        .find((one): one is FrameMessage => one.type === "frame" && test(one)),
    );
  }

  close(): void {
    this.#socket.close();
  }
}
