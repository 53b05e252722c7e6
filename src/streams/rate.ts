/** Frames per second as they really come: from sequences and publish times, over about two seconds. */

interface Sighting {
  sequence: bigint;
  publishTimeNs: bigint;
}

const windowNs = 2_000_000_000n;
/** A writer whose times do not move must not fill the hub's memory. */
const sightingsMax = 1024;

export class RateMeter {
  /** Distinct frames, oldest first. One of them lies before the window, so that slow streams have a rate too. */
  #seen: Sighting[] = [];

  /** May be called with the same frame again. */
  see(sequence: bigint, publishTimeNs: bigint): void {
    const newest = this.#seen.at(-1);
    if (newest && sequence <= newest.sequence) return;
    this.#seen.push({ sequence, publishTimeNs });
    const start = publishTimeNs - windowNs;
    while (this.#seen[1] && this.#seen[1].publishTimeNs <= start) this.#seen.shift();
    if (this.#seen.length > sightingsMax) this.#seen.shift();
  }

  /** Null until two frames are known; 0 where none came for longer than two periods and the window. */
  perSecond(nowNs: bigint): number | null {
    const [oldest, newest] = [this.#seen[0], this.#seen.at(-1)];
    if (!oldest || !newest || oldest === newest) return null;
    const spanNs = Number(newest.publishTimeNs - oldest.publishTimeNs);
    if (spanNs <= 0) return null;
    const periodNs = spanNs / Number(newest.sequence - oldest.sequence);
    const ageNs = Number(nowNs - newest.publishTimeNs);
    return ageNs > Math.max(Number(windowNs), 2 * periodNs) ? 0 : 1e9 / periodNs;
  }
}
