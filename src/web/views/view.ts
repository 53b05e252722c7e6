/** What shows a stream's frames. The tile around it says how old they are. */
import { useEffect, useRef } from "preact/hooks";
import type { Payload } from "../../api/live-messages.ts";
import type { StreamBody } from "../../api/schemas.ts";
import type { LiveFeed, Show } from "../hub/live-feed.ts";

export interface ViewProps {
  stream: StreamBody;
  feed: LiveFeed;
  /** Opened to full size: what is left out on a tile is shown. */
  large: boolean;
}

/** Whether its previews are pixels of 16 bits as they are (depth, active brightness), and no JPEG. */
export function isGray16({ dtype, pixelFormat }: StreamBody): boolean {
  return dtype === "<u2" && (pixelFormat ?? "gray16le") === "gray16le";
}

/** `show` is called with each frame while the view is there. */
export function useFrames(feed: LiveFeed, show: Show): void {
  useEffect(() => feed.onFrame(show), [feed]);
}

/**
 * Gives a function that has `draw` called: at once, or when `periodMs` have passed since the last time. Of
 * frames that come in a burst the last one is seen too, whether or not another follows.
 */
export function useDrawing(periodMs: number, draw: () => void): () => void {
  const timer = useRef<number | undefined>(undefined);
  const drawnAtMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const drawNow = () => {
    timer.current = undefined;
    drawnAtMs.current = performance.now();
    draw();
  };
  return () => {
    if (timer.current !== undefined) return;
    const waitMs = drawnAtMs.current + periodMs - performance.now();
    if (waitMs > 0) timer.current = window.setTimeout(drawNow, waitMs);
    else drawNow();
  };
}

export type Frames = Extract<Payload, { kind: "frames" }>;

/** The frames of a payload that carries every one since the message before; none of another kind. */
export function framesOf(payload: Payload | null): Frames["frames"] {
  return payload?.kind === "frames" ? payload.frames : [];
}

/** Resolves after the browser has painted what was drawn until now; soon also where it does not paint. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
