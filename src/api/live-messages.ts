/**
 * What goes over `WS /api/v1/streams/{name}/live`, for both ends: types alone. Every message is msgpack of one map
 * (msgpackr, `useRecords: false`), with `type` saying which; 64-bit integers are int64 (bigint in JavaScript), bytes
 * are bin, what is unknown is null. A text message from the hub is a problem (RFC 9457) as JSON; the hub closes
 * the connection after it.
 */
import type { Dtype } from "../ring/descriptor.ts";
import type { StreamBody } from "./schemas.ts";

/**
 * - `none`: the numbers alone
 * - `raw`: the frame's bytes as they lie in its slot
 * - `preview`: small enough to look at, see {@link Payload}
 */
export type PayloadWish = "none" | "raw" | "preview";

/** Of the query (`?payload=preview&maxWidth=640&maxRate=25&window=2`), and of `wish` messages. */
export interface Wish {
  /** Default `none`. */
  payload: PayloadWish;
  /** Widest preview of a picture, in pixels, 16 to 4096, default 640. Pictures shrink by whole factors, so they may be narrower. */
  maxWidth: number;
  /** Most frames per second, 0.1 to 1000; null (the default): as they come. */
  maxRate: number | null;
  /**
   * Most frames that are sent before the client has answered them with `got`, 1 to 64; null (the default): as many as
   * the connection takes. The kernel's buffers hold megabytes: over a slow line a client without a window looks at old frames.
   */
  window: number | null;
}

/** From the client. */
export type LiveRequest =
  /** What it wants from now on; what is not named stays as it was. */
  | ({ type: "wish" } & Partial<Wish>)
  /** So many frames (default 1) were taken; makes room in the window. */
  | { type: "got"; frames?: number }
  /** Asks for the hub's clock; `id` comes back. Half the time until the answer is the bound of its error. */
  | { type: "clock"; id: number };

/** From the hub. */
export type LiveMessage = StreamMessage | GoneMessage | FrameMessage | ClockMessage;

/** First of all, and again at each new generation and each change of state (live, stalled, dead, retired). */
export interface StreamMessage {
  type: "stream";
  /** As `GET /api/v1/streams/{name}` has it: in here 64-bit integers are decimal text. */
  stream: StreamBody;
}

/** The ring was unlinked. The connection stays: a `stream` message says that there is one again. */
export interface GoneMessage {
  type: "gone";
  name: string;
}

export interface ClockMessage {
  type: "clock";
  id: number;
  /** CLOCK_MONOTONIC of the hub's machine, the clock of capture, arrival, publish and sent times. */
  monotonicNs: bigint;
  /** CLOCK_REALTIME. */
  utcNs: bigint;
}

/** Numbers of one frame. */
export interface FrameNumbers {
  /** From 1, within the generation. */
  sequence: bigint;
  /** The device's own ticks. */
  deviceTime: bigint | null;
  /** That instant on CLOCK_MONOTONIC, and the bound of its error. */
  captureTimeNs: bigint | null;
  timeErrorNs: bigint | null;
  clockEpoch: number;
  /** When its last byte was in the sensor's process; null where the sensor does not say. */
  arrivalTimeNs: bigint | null;
  publishTimeNs: bigint;
  publishUtcNs: bigint;
  /** This frame's own. */
  shape: number[];
  payloadBytes: number;
  /** Metadata by name. */
  fields: Record<string, number | bigint | number[] | bigint[]>;
}

/** The newest frame that the client has not had. */
export interface FrameMessage extends FrameNumbers {
  type: "frame";
  generation: string;
  /** When this message was handed to the connection. */
  sentTimeNs: bigint;
  /** Frames published since the message before, in this generation, that this client is not given. */
  missed: bigint;
  /** Frames per second over about 2 s, all that are published; null until two are known. */
  rate: number | null;
  payload: Payload | null;
}

export type Payload =
  | { kind: "raw"; dtype: Dtype; data: Uint8Array }
  /** Pictures of 8 bits a sample, whatever their pixel format: grey or colour. */
  | { kind: "jpeg"; width: number; height: number; data: Uint8Array }
  /** Pictures of 16 bits (depth, active brightness): little-endian pixels as they are, one of each box of `factor` x `factor`. */
  | { kind: "gray16"; width: number; height: number; factor: number; data: Uint8Array }
  /**
   * Audio, IMU, poses, messages and small tensors: every frame since the message before, oldest first, the last one
   * being the message's own; the first message has that alone. The oldest are left out (and counted as missed)
   * where more than 256 KiB have gathered.
   */
  | { kind: "frames"; dtype: Dtype; frames: (FrameNumbers & { data: Uint8Array })[] }
  /** There is nothing to show: why, in words. */
  | { kind: "nothing"; why: string };
