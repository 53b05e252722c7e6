/** Rings for tests: a prefix and a folder of their own, producers in this process or in one to kill. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { createWriter, type RingWriter } from "../src/ring.ts";

const fixture = join(import.meta.dir, "fixtures/producer.ts");

export class TestRings {
  readonly prefix: string;
  readonly directory = mkdtempSync(join(tmpdir(), "streamem-test-"));
  readonly #writers: RingWriter[] = [];
  readonly #children: Subprocess[] = [];

  constructor(label: string) {
    this.prefix = `t${process.pid}-${label}`;
  }

  /** For programs that share these rings; what they keep goes with the folder. */
  get environment() {
    const { prefix, directory } = this;
    const cache = join(directory, "cache");
    return {
      ...process.env,
      STREAMEM_PREFIX: prefix,
      STREAMEM_DIR: directory,
      XDG_CACHE_HOME: cache,
    };
  }

  path(name: string): string {
    return `/dev/shm/${this.prefix}.${name}`;
  }

  exists(name: string): boolean {
    return existsSync(this.path(name));
  }

  writer(name: string, spec: StreamSpec, options: { slots?: number } = {}): RingWriter {
    const { prefix, directory } = this;
    const writer = createWriter(name, spec, { prefix, directory, ...options });
    this.#writers.push(writer);
    return writer;
  }

  /** Resolves when its first frame is published. */
  async producer(name: string, spec: StreamSpec, rate = 30): Promise<Subprocess> {
    const command = [process.execPath, fixture, name, JSON.stringify(spec), String(rate)];
    const env = { ...process.env, STREAMEM_PREFIX: this.prefix, STREAMEM_DIR: this.directory };
    const child = Bun.spawn(command, { env, stdout: "pipe", stderr: "inherit" });
    this.#children.push(child);
    await child.stdout.getReader().read();
    return child;
  }

  /** Bytes at the ring's name, made as a stranger without our code would. */
  foreign(name: string, bytes: Uint8Array): void {
    const file = openSync(this.path(name), "wx", 0o600);
    writeSync(file, bytes);
    closeSync(file);
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(this.#children.map((child) => child.exited));
    for (const writer of this.#writers) writer.close();
    const ours = new RegExp(`^\\.?${this.prefix}\\.`);
    for (const file of readdirSync("/dev/shm")) {
      if (ours.test(file)) rmSync(join("/dev/shm", file), { force: true });
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Only so that a test that waits in vain ends in words, and not the whole run with it. */
const patienceMs = 30_000;

/** Asks again until the answer is not undefined, null or false. */
export async function until<Answer>(
  ask: () => Answer | Promise<Answer>,
): Promise<NonNullable<Exclude<Answer, false>>> {
  const start = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as NonNullable<Exclude<Answer, false>>;
    }
    if (performance.now() - start > patienceMs) throw new Error(`waited in vain until ${ask}`);
    await Bun.sleep(5);
  }
}

export const camera = {
  kind: "video",
  dtype: "|u1",
  shape: [4, 6, 3],
  dims: ["height", "width", "channel"],
  pixelFormat: "bgr24",
} satisfies StreamSpec;
