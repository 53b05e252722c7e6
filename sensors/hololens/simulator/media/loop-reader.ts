/**
 * Units of a loop in an order that can be decoded: from what is kept where that is possible, else coded
 * now. A loop is cut into groups; each begins with a key frame and refers to nothing outside.
 */
import type { CodedUnits } from "./coded-units.ts";

export interface Loop {
  units: CodedUnits;
  /** Pictures in a round. */
  pictures: number;
  /** Pictures from one key frame to the next; a round begins with one too. */
  groupSize: number;
  encode(index: number, keyFrame: boolean): Promise<Uint8Array>;
}

export interface LoopReader {
  /** Whether a picture's unit can be had without coding. */
  isReady(index: number): boolean;
  /**
   * The unit of a picture. Pictures may be left out before it: what comes is predicted from what this reader
   * gave last, or from nothing. One call at a time.
   */
  unit(index: number): Promise<Uint8Array>;
}

/** A group larger than this is not kept: it is whole only in memory. */
const largestGroupBytes = 64 * 2 ** 20;

export function createLoopReader({ units, pictures, groupSize, encode }: Loop): LoopReader {
  const groupOf = (index: number) => Math.floor(index / groupSize);
  const isFirst = (index: number) => index % groupSize === 0;
  const isLast = (index: number) => index + 1 === pictures || isFirst(index + 1);
  /** What the decoder has seen last, and from where. */
  let last = { index: -1, from: "nowhere" as "nowhere" | "kept" | "encoder" };
  /** Coded here from its key frame on without a gap; null: there was one. */
  let group: { first: number; units: Uint8Array[]; bytes: number } | null = null;

  const collect = (index: number, unit: Uint8Array, keyFrame: boolean) => {
    if (isFirst(index)) group = { first: index, units: [], bytes: 0 };
    else if (keyFrame) group = null;
    if (group?.first !== groupOf(index) * groupSize) group = null;
    else if (group.units.length !== index - group.first) group = null;
    if (!group) return;
    group.units.push(unit);
    group.bytes += unit.byteLength;
    if (group.bytes > largestGroupBytes) group = null;
    else if (isLast(index)) units.keep(group.first, group.units);
  };

  const readyUnit = (index: number) => {
    const follows = last.from === "kept" && index === (last.index + 1) % pictures;
    return isFirst(index) || follows ? units.get(index) : undefined;
  };

  return {
    isReady: (index) => readyUnit(index) !== undefined,

    async unit(index) {
      const kept = readyUnit(index);
      if (kept) {
        last = { index, from: "kept" };
        return kept;
      }
      const sameGroup = groupOf(index) === groupOf(last.index) && index > last.index;
      const keyFrame = last.from !== "encoder" || !sameGroup;
      last = { index, from: "nowhere" };
      const unit = await encode(index, keyFrame);
      last = { index, from: "encoder" };
      collect(index, unit, keyFrame);
      return unit;
    },
  };
}
