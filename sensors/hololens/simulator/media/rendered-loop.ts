/**
 * Pictures of the simulated scene. Its motion repeats, and so do they: each is rendered and coded once for
 * a configuration, then sent again. In the first round they are made as they are shown. Where that is too
 * slow, few are shown and the whole round is made beside them, as fast as it goes. A picture always shows
 * the moment that was asked for.
 */
import { periodSeconds as motionSeconds } from "../world/motion.ts";
import { unitStore } from "./coded-units.ts";
import type { PictureMoment } from "./depictions.ts";
import { createLoopReader, type LoopReader } from "./loop-reader.ts";

export interface PictureCoder {
  encode(moment: PictureMoment, keyFrame: boolean): Promise<Uint8Array>;
  close(): void;
}

export interface Rendered {
  /** Pictures a second before the divisor: a whole number of them in each period of the motion. */
  framerate: number;
  divisor: number;
  /** All that decides how pictures look and are coded. */
  key: string;
  /** Pictures from one key frame to the next; 1 where each stands alone. */
  groupSize: number;
  openCoder(): PictureCoder;
}

export interface RenderedLoop {
  periodSeconds: number;
  /** Null: none of this moment. */
  unit(seconds: number): Promise<Uint8Array> | null;
  close(): void;
}

/** So often the shown picture may come late before the rest is made: the first ones always do. */
const patience = 3;
/** Between pictures while the rest is made: what they take it lacks. */
const sparseSeconds = 0.1;

export function openRenderedLoop(rendered: Rendered): RenderedLoop {
  const { framerate, divisor, key, groupSize, openCoder } = rendered;
  const periodSeconds = divisor / framerate;
  const inMotion = framerate * motionSeconds;
  // With a divisor that does not divide the period, several periods pass until a moment comes again.
  const pictures = inMotion / greatestCommonDivisor(inMotion, divisor);
  const units = unitStore.of(JSON.stringify([key, framerate, divisor, groupSize]));
  let closed = false;

  const readerOf = (coder: PictureCoder): LoopReader =>
    createLoopReader({
      units,
      pictures,
      groupSize,
      encode: (index, keyFrame) =>
        coder.encode({ index, seconds: (index * periodSeconds) % motionSeconds }, keyFrame),
    });

  const isKept = (first: number) => units.get(first) !== undefined;

  /** The group that is shown now is kept by whoever shows it, unless pictures are left out. */
  const makeRest = async (showing: number, coder: PictureCoder) => {
    const reader = readerOf(coder);
    const groups = Math.ceil(pictures / groupSize);
    const now = Math.floor(showing / groupSize);
    for (let k = 1; k <= groups; k++) {
      const first = ((now + k) % groups) * groupSize;
      const end = Math.min(first + groupSize, pictures);
      for (let index = first; index < end && !isKept(first); index++) {
        if (closed) return;
        await reader.unit(index);
      }
    }
  };

  const shownCoder = openCoder();
  const shown = readerOf(shownCoder);
  let last = { index: -1, seconds: Number.NEGATIVE_INFINITY };
  let late = 0;
  let making = false;

  const keepUp = (index: number) => {
    if (index !== (last.index + 1) % pictures) late++;
    if (late !== patience + 1) return;
    late++;
    making = true;
    const coder = openCoder();
    // What fails there fails for the shown picture too, and is told there.
    makeRest(index, coder)
      .catch(() => {})
      .finally(() => {
        making = false;
        coder.close();
      });
  };

  return {
    periodSeconds,
    unit(seconds) {
      const index = Math.round(seconds / periodSeconds) % pictures;
      const isReady = shown.isReady(index);
      if (!isReady && making && seconds - last.seconds < sparseSeconds) return null;
      if (!isReady) keepUp(index);
      last = { index, seconds };
      return shown.unit(index);
    },
    close() {
      closed = true;
      shownCoder.close();
    },
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
