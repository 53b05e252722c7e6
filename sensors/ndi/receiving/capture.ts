/** Frames of one connection, each freed whatever happens to it, until the sender is lost. */
import type { DeviceClock } from "../../../src/clock/device-clock.ts";
import { monotonicNs } from "../../../src/ring/ffi.ts";
import type { SensorContext } from "../../sensor.ts";
import type { Receiver } from "../libndi/receiver.ts";
import { audioFrame, frameType, metadataFrame, videoFrame } from "../libndi/structs.ts";
import { isKnown } from "./clock.ts";
import type { Pictures } from "./pictures.ts";
import type { Sound } from "./sound.ts";

export interface Captured {
  receiver: Receiver;
  context: Pick<SensorContext, "signal" | "counters">;
  clock: DeviceClock;
  /** null: not wanted. */
  pictures: Pictures | null;
  sound: Sound | null;
  connectTimeoutMs: number;
  silentTimeoutMs: number;
  /** The first frame, and the first one after a silence. */
  flowing(): void;
  /** Connected, and nothing has come for `silentTimeoutMs`. */
  silent(): void;
}

/** `unanswered`: it never came to a connection. `silent`: connected, and nothing came for long. */
export type Ended = "aborted" | "lost" | "unanswered" | "silent";

/** libndi's call blocks this thread: timers, signals and the hub's messages are late by so much. */
const waitMs = 10;
/** A sender that hangs may go on, and then on the same connection; a cable that was pulled does not. */
const silencesMax = 5;
const countEveryMs = 1000;

/** From connecting to the end. The receiver is left connected to nothing. */
export async function capture(options: Captured, address: string): Promise<Ended> {
  const { receiver, context, sound } = options;
  const next = nextFrame(options);
  const counting = setInterval(() => countDropped(receiver, context), countEveryMs);
  receiver.connect(address);
  try {
    return await captureUntilLost(options, next);
  } finally {
    receiver.connect(null);
    clearInterval(counting);
    countDropped(receiver, context);
    sound?.flush();
  }
}

async function captureUntilLost(options: Captured, next: Next): Promise<Ended> {
  const { receiver, context, connectTimeoutMs, silentTimeoutMs } = options;
  const beganMs = performance.now();
  let connected = false;
  let heardMs = beganMs;
  let state: "new" | "flowing" | "silent" = "new";
  for (;;) {
    const came = next(waitMs);
    const nowMs = performance.now();
    if (came && state !== "flowing") options.flowing();
    if (came) state = "flowing";
    if (came || !connected) heardMs = nowMs;
    if (context.signal.aborted) return "aborted";
    if (receiver.connections() > 0) connected = true;
    else if (connected) return drain(receiver, next);
    else if (nowMs - beganMs > connectTimeoutMs) return "unanswered";
    const silentMs = nowMs - heardMs;
    if (silentMs > silencesMax * silentTimeoutMs) return "silent";
    if (silentMs > silentTimeoutMs && state !== "silent") {
      state = "silent";
      options.silent();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What came before the loss, and not a frame more: libndi may be connected to another sender by now. */
function drain(receiver: Receiver, next: Next): Ended {
  const { video, audio, metadata } = receiver.queue();
  for (let left = video + audio + metadata; left > 0; left--) next(0);
  return "lost";
}

/** Waits for a frame, uses and frees it. False where there was none. */
type Next = (waitMs: number) => boolean;

function nextFrame({ receiver, clock, pictures, sound }: Captured): Next {
  const video = videoFrame();
  const audio = audioFrame();
  const metadata = metadataFrame();
  const arrived = (timestamp: bigint, arrivalNs: bigint) => {
    if (isKnown(timestamp)) clock.arrived(timestamp, arrivalNs);
  };
  return (waitMs) => {
    const type = receiver.capture(pictures && video, sound && audio, metadata, waitMs);
    const arrivalNs = monotonicNs();
    switch (type) {
      case frameType.video:
        try {
          arrived(video.timestamp, arrivalNs);
          pictures?.take(video, arrivalNs);
        } finally {
          receiver.freeVideo(video);
        }
        return true;
      case frameType.audio:
        try {
          arrived(audio.timestamp, arrivalNs);
          sound?.take(audio, arrivalNs);
        } finally {
          receiver.freeAudio(audio);
        }
        return true;
      case frameType.metadata:
        receiver.freeMetadata(metadata);
        return true;
      default:
        return false;
    }
  };
}

/** libndi keeps a few frames for a receiver that is late, and drops what comes then. */
function countDropped(receiver: Receiver, { counters }: Captured["context"]): void {
  const { dropped } = receiver.performance();
  counters.dropped = dropped.video;
  counters.droppedSound = dropped.audio;
}
