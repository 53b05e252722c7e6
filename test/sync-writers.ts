/** Writers of a trace's streams, on real rings: in this process, or in processes to kill. */
import { join } from "node:path";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { createWriter, type FrameMeta, type RingWriter } from "../src/ring.ts";

const program = join(import.meta.dir, "fixtures/sync-writer.ts");
const words = 16;

export interface Publication {
  /** Decimal; null: unknown. */
  captureTimeNs: string | null;
  clockEpoch: number;
}

export function streamSpec(rate: number): StreamSpec {
  return { kind: "tensor", dtype: "<u4", shape: [words], rate };
}
/** So many that no trace laps its reader. */
streamSpec.slots = 1024;

/** A payload of which every word depends on the sequence, and its times. */
export function frameOf(
  sequence: bigint,
  { captureTimeNs, clockEpoch }: Publication,
): [Uint32Array, FrameMeta] {
  const first = Number(sequence) * words;
  const payload = Uint32Array.from({ length: words }, (_, word) => first + word);
  return [
    payload,
    { captureTimeNs: captureTimeNs === null ? undefined : BigInt(captureTimeNs), clockEpoch },
  ];
}

export interface Where {
  prefix: string;
  directory: string;
}

export interface TraceWriter {
  publish(publication: Publication): Promise<void>;
  /** Each gives the generation from then on. */
  open(): Promise<string>;
  renew(): Promise<string>;
  /** Killed, and followed by another process. */
  kill(follow: boolean): Promise<string>;
  close(): Promise<void>;
}

export function writerHere(name: string, rate: number, where: Where): TraceWriter {
  let writer: RingWriter | null = null;
  return {
    async open() {
      writer = createWriter(name, streamSpec(rate), { ...where, slots: streamSpec.slots });
      return writer.generation;
    },
    async publish(publication) {
      if (writer) writer.publish(...frameOf(writer.sequence + 1n, publication));
    },
    async renew() {
      writer?.renew();
      return writer?.generation ?? "";
    },
    kill() {
      throw new Error("this process is not killed");
    },
    async close() {
      writer?.close();
    },
  };
}

/** The next process is there when one is killed: a restart takes as long as taking over. */
export function writerElsewhere(name: string, rate: number, where: Where): TraceWriter {
  let present = startProcess(where);
  let next = startProcess(where);
  const open = { open: { name, rate } };
  return {
    open: () => present.ask(open),
    async publish(publish) {
      await present.ask({ publish });
    },
    renew() {
      throw new Error("a stream of which a writer is killed is not renewed");
    },
    async kill(follow) {
      if (follow) await next.ready; // a program takes a driver that is gone for a second for ended
      await present.end();
      [present, next] = [next, startProcess(where)];
      return follow ? present.ask(open) : "";
    },
    async close() {
      await Promise.all([present.end(), next.end()]);
    },
  };
}

function startProcess({ prefix, directory }: Where) {
  const answers: string[] = [];
  let wake = () => {};
  const child = Bun.spawn([process.execPath, program], {
    env: { ...process.env, STREAMEM_PREFIX: prefix, STREAMEM_DIR: directory },
    stdout: "inherit",
    stderr: "inherit",
    ipc(message) {
      answers.push(message);
      wake();
    },
  });
  const answer = async (): Promise<string> => {
    while (answers.length === 0 && child.exitCode === null && child.signalCode === null) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        void child.exited.then(() => resolve());
      });
    }
    return answers.shift() ?? "";
  };
  const ready = answer();
  return {
    ready,
    async ask(order: object): Promise<string> {
      await ready;
      child.send(order);
      return answer();
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
