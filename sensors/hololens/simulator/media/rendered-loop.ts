/**
 * Pictures of the simulated scene. Its motion repeats, and so do they: each is rendered and coded once for
 * a configuration, then sent again. Until then each moment is rendered when it is there, while the rest
 * of the round is made beside it. A picture always shows the moment that was asked for.
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
  unit(seconds: number): Promise<Uint8Array>;
  close(): void;
}

export function openRenderedLoop(rendered: Rendered): RenderedLoop {
  const { framerate, divisor, key, groupSize, openCoder } = rendered;
  const periodSeconds = divisor / framerate;
  const inMotion = framerate * motionSeconds;
  // With a divisor that does not divide the period, several periods pass until a moment comes again.
  const pictures = inMotion / greatestCommonDivisor(inMotion, divisor);
  const units = unitStore.of(JSON.stringify([key, framerate, divisor, groupSize]));
  const coders: PictureCoder[] = [];
  let closed = false;

  const openReader = (): LoopReader => {
    const coder = openCoder();
    coders.push(coder);
    return createLoopReader({
      units,
      pictures,
      groupSize,
      encode: (index, keyFrame) =>
        coder.encode({ index, seconds: (index * periodSeconds) % motionSeconds }, keyFrame),
    });
  };

  const isKept = (first: number) => units.get(first) !== undefined;

  /** The group that is shown now is kept by whoever shows it, unless pictures are left out. */
  const makeRest = async (showing: number) => {
    const reader = openReader();
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

  const shown = openReader();
  let begun = false;
  return {
    periodSeconds,
    unit(seconds) {
      const index = Math.round(seconds / periodSeconds) % pictures;
      // What fails there fails for the shown picture too, and is told there.
      if (!begun) makeRest(index).catch(() => {});
      begun = true;
      return shown.unit(index);
    },
    close() {
      closed = true;
      for (const coder of coders) coder.close();
    },
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
