/**
 * Where NDI|HX cannot be decoded, libndi gives a picture that says so in place of the camera's, as an ordinary frame. From
 * outside it can be told from a camera's by one thing only: not a bit of it ever changes, while every sensor has noise.
 */

export interface StillPicture {
  /** To be called for each picture as it lies in its slot. */
  look(picture: Uint8Array, nowMs: number): void;
}

const lookEveryMs = 1000;
const stillForMs = 5000;

/** @param changed called with true when all has been the same for 5 s, with false when it moves again */
export function createStillPicture(changed: (still: boolean) => void): StillPicture {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let seen: { hash: number | bigint; sinceMs: number } | null = null;
  let still = false;

  const tell = (now: boolean) => {
    if (now !== still) changed(now);
    still = now;
  };

  return {
    look(picture, nowMs) {
      if (nowMs - lookedMs < lookEveryMs) return;
      lookedMs = nowMs;
      const hash = Bun.hash(picture);
      if (hash !== seen?.hash) seen = { hash, sinceMs: nowMs };
      tell(nowMs - seen.sinceMs >= stillForMs);
    },
  };
}
