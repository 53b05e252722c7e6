/**
 * What FFmpeg says only in its log. It knows that a reference picture was lost, or that it papered over
 * broken slices, and hands out the picture all the same with no flag set: the words are the only sign.
 *
 * Lines come through a queue of node-av, later than the call that caused them. `settle` sends a mark
 * through the same queue and waits for it, so everything said before has been heard (10 us).
 */
import type { Ffmpeg } from "./ffmpeg.ts";

/**
 * The words, of FFmpeg 8; test/video-damage.test.ts and test/video-faults.test.ts fail when they are no longer said.
 *
 * - loss: this picture is damaged, or the next ones are (h264_slice.c, error_resilience.c, mjpegdec.c, rtpdec.c)
 * - skip: the HEVC decoder has left a picture out by itself, which only has to be counted (hevc/refs.c)
 * - cut: the file ends before its time, though reading it ends as if it were whole (mov.c, matroskadec.c)
 */
const tellingWords = {
  loss: /Frame num gap|concealing \d+ DC|^overread \d|RTP: missed \d+ packets|bad cseq|max delay reached/,
  skip: /Could not find ref with POC/,
  cut: /partial file|File ended prematurely/,
};

export type Telling = keyof typeof tellingWords;

export interface FfmpegLog {
  /** Only H.264 mutters about a lost reference, and as quietly as it can (AV_LOG_DEBUG). */
  listenClosely(): void;
  /** Resolves when every line said until now has been heard. */
  settle(): Promise<void>;
  /** The first such line since it was asked for last, or null. */
  take(what: Telling): string | null;
  /** The last error lines since the last call, for a message to people. */
  takeErrors(): string[];
  close(): void;
}

/** FFmpeg's log belongs to the process: there can be one listener. */
export function listenToFfmpeg(
  { Log, constants }: Ffmpeg,
  debug: (words: string) => void,
): FfmpegLog {
  const mark = `streamem mark ${crypto.randomUUID()}`;
  const waiting: (() => void)[] = [];
  const told = new Map<Telling, string>();
  let errors: string[] = [];
  let closely = false;

  const hear = (level: number, line: string) => {
    if (line === mark) return waiting.shift()?.();
    const words = line.trim();
    if (level <= constants.AV_LOG_ERROR) {
      errors = [...errors.slice(-2), words];
      debug(words);
    }
    for (const [what, pattern] of Object.entries(tellingWords) as [Telling, RegExp][]) {
      if (!told.has(what) && pattern.test(words)) told.set(what, words);
    }
  };
  Log.setCallback(hear, { maxLevel: constants.AV_LOG_WARNING });

  return {
    listenClosely() {
      if (!closely) Log.setCallback(hear, { maxLevel: constants.AV_LOG_DEBUG });
      closely = true;
    },
    settle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        Log.log(constants.AV_LOG_ERROR, mark);
      }),
    take(what) {
      const words = told.get(what) ?? null;
      told.delete(what);
      return words;
    },
    takeErrors() {
      const taken = errors;
      errors = [];
      return taken;
    },
    close: () => Log.resetCallback(),
  };
}
