/** The thread that depicts: see rendering-thread.ts. */
import { parentPort } from "node:worker_threads";
import { depict } from "./depictions.ts";
import type { RenderingAnswer, RenderingJob } from "./rendering-thread.ts";

parentPort?.on("message", ({ id, what, moment }: RenderingJob) => {
  try {
    const parts = depict(what, moment);
    answer({ id, parts }, [...new Set(parts.map(({ buffer }) => buffer))]);
  } catch (error) {
    answer({ id, error: String(error) }, []);
  }
});

function answer(words: RenderingAnswer, given: ArrayBuffer[]): void {
  parentPort?.postMessage(words, given);
}
