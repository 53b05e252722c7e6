/**
 * What has been coded once, kept to be sent again: groups of units that begin with a key frame, of all
 * streams together at most `mostBytes`. What finds no room is coded anew in each round.
 */

export interface CodedUnits {
  get(index: number): Uint8Array | undefined;
  /** A whole group: one that lacks its end would leave the next unit without what it was predicted from. */
  keep(first: number, group: readonly Uint8Array[]): void;
}

/** An hour of 1080p at the usual 5 Mbit/s would be 2 GB. What all streams need as a rule is a quarter of this. */
const mostBytes = 256 * 2 ** 20;

export interface UnitStore {
  /** The same for the same key: what one connection has coded serves the next. */
  of(key: string): CodedUnits;
  readonly bytes: number;
}

export function createUnitStore(most = mostBytes): UnitStore {
  /** The longest unused first. */
  const loops = new Map<string, Map<number, Uint8Array>>();
  let bytes = 0;

  const forgetOldest = (except: string): boolean => {
    for (const [key, units] of loops) {
      if (key === except) continue;
      for (const unit of units.values()) bytes -= unit.byteLength;
      units.clear();
      loops.delete(key);
      return true;
    }
    return false;
  };

  const keep = (key: string, first: number, group: readonly Uint8Array[]) => {
    const units = loops.get(key);
    if (!units || units.has(first)) return;
    const more = group.reduce((sum, unit) => sum + unit.byteLength, 0);
    while (bytes + more > most) if (more > most || !forgetOldest(key)) return;
    for (const [i, unit] of group.entries()) units.set(first + i, unit);
    bytes += more;
  };

  return {
    of(key) {
      const units = loops.get(key) ?? new Map<number, Uint8Array>();
      loops.delete(key);
      loops.set(key, units);
      return {
        get: (index) => units.get(index),
        keep: (first, group) => keep(key, first, group),
      };
    },
    get bytes() {
      return bytes;
    },
  };
}

/** Of the whole simulator. */
export const unitStore = createUnitStore();
