/**
 * One thread that renders for all streams, one picture after the other, some 15 ms each: on the thread of
 * the sockets every packet and every clock probe would wait for that.
 */
import { Worker } from "node:worker_threads";
import type { Depiction, PictureMoment } from "./depictions.ts";

export interface RenderingJob {
  id: number;
  what: Depiction;
  moment: PictureMoment;
}

export type RenderingAnswer =
  | { id: number; parts: Uint8Array<ArrayBuffer>[] }
  | { id: number; error: string };

interface Waiting {
  resolve(parts: Uint8Array<ArrayBuffer>[]): void;
  reject(error: Error): void;
}

const waiting = new Map<number, Waiting>();
let thread: Worker | null = null;
let jobs = 0;

/** @returns as `depict` does */
export function depictElsewhere(
  what: Depiction,
  moment: PictureMoment,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const worker = running();
  const id = jobs++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    // Kept alive by what is asked of it, no longer.
    worker.ref();
    worker.postMessage({ id, what, moment } satisfies RenderingJob);
  });
}

function running(): Worker {
  if (thread) return thread;
  const worker = new Worker(new URL("./rendering-worker.ts", import.meta.url));
  worker.on("message", (answer: RenderingAnswer) => answered(worker, answer));
  worker.on("error", (error: Error) => ended(worker, `the rendering thread failed: ${error}`));
  worker.on("exit", () => ended(worker, "the rendering thread has ended"));
  thread = worker;
  return worker;
}

function answered(worker: Worker, answer: RenderingAnswer): void {
  const asked = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (waiting.size === 0) worker.unref();
  if ("parts" in answer) asked?.resolve(answer.parts);
  else asked?.reject(new Error(`rendering: ${answer.error}`));
}

/** Who waits is told; the next one gets a new thread. */
function ended(worker: Worker, why: string): void {
  if (thread !== worker) return;
  thread = null;
  for (const { reject } of waiting.values()) reject(new Error(why));
  waiting.clear();
  void worker.terminate();
}
