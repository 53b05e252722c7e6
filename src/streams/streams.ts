/**
 * The streams of this machine: every ring `/dev/shm/<prefix>.*`, the hub's own and strangers'. All are
 * read by pread alone, for a stranger may truncate his ring at any moment.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { streamName } from "../../sensors/sensor.ts";
import { logFor } from "../log/log.ts";
import { RingError, sweepStream } from "../ring/ffi.ts";
import { LayoutError } from "../ring/layout.ts";
import { Stream, type StreamState } from "./stream.ts";

export interface StreamEvent {
  /** `changed`: another generation or another state. */
  type: "added" | "changed" | "gone";
  stream: Stream;
}

export interface RegistryOptions {
  prefix: string;
  folder?: string;
  scanMs?: number;
  /** How long a dead ring stays, so that people can still read its last frames. */
  deadMs?: number;
  /** Removes what the dead writer of a stream left. */
  sweep?: (name: string) => unknown;
}

export class StreamRegistry {
  readonly prefix: string;
  readonly #folder: string;
  readonly #deadMs: number;
  readonly #sweep: (name: string) => unknown;
  readonly #log = logFor("streams");
  readonly #streams = new Map<string, Stream>();
  readonly #deadSince = new Map<string, { generation: string; atMs: number }>();
  /** What was said in the log about a file, by name: it is said once. */
  readonly #said = new Map<string, string>();
  /** The states that listeners know: requests look at streams too, between two scans. */
  readonly #told = new Map<string, StreamState>();
  #events: StreamEvent[] = [];
  readonly #listeners = new Set<(event: StreamEvent) => void>();
  readonly #timer: Timer;

  /** Looks at once, and again every `scanMs`. */
  constructor(options: RegistryOptions) {
    this.prefix = options.prefix;
    this.#folder = options.folder ?? "/dev/shm";
    this.#deadMs = options.deadMs ?? 60_000;
    this.#sweep = options.sweep ?? ((name) => sweepStream(this.prefix, name));
    this.scan();
    this.#timer = setInterval(() => this.scan(), options.scanMs ?? 500);
  }

  list(): Stream[] {
    return [...this.#streams.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  get(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** @returns the function that ends it */
  subscribe(listener: (event: StreamEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    this.#listeners.clear();
  }

  /** Takes up what is new, drops what is gone or unreadable. Never throws because of a ring. */
  scan(): void {
    const files = this.#files();
    for (const name of [...this.#streams.keys()]) if (!files.has(name)) this.#drop(name);
    for (const name of [...this.#said.keys()]) if (!files.has(name)) this.#said.delete(name);
    for (const [name, inode] of files) this.#guarded(name, inode, () => this.#visit(name, inode));
    const events = this.#events;
    this.#events = [];
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  #visit(name: string, inode: bigint): void {
    const known = this.#streams.get(name);
    if (!known?.is(inode)) {
      this.#take(name, known);
      return;
    }
    const { state } = known.look();
    if (state !== this.#told.get(name)) this.#note("changed", known, state);
    if (state === "dead" || state === "retired") this.#bury(known);
  }

  #take(name: string, before: Stream | undefined): void {
    const stream = Stream.open(name, this.#path(name), before);
    before?.close();
    this.#streams.set(name, stream);
    this.#said.delete(name);
    this.#note(before ? "changed" : "added", stream, stream.look().state);
  }

  #drop(name: string): void {
    const stream = this.#streams.get(name);
    if (!stream) return;
    this.#streams.delete(name);
    this.#deadSince.delete(name);
    stream.close();
    // Not where its very first look failed: nobody has heard of it.
    if (this.#told.delete(name)) this.#events.push({ type: "gone", stream });
  }

  #bury(stream: Stream): void {
    const { name, generation } = stream;
    if (stream.writerAlive()) return;
    const since = this.#deadSince.get(name);
    if (since?.generation !== generation) {
      this.#deadSince.set(name, { generation, atMs: performance.now() });
    }
    const atMs = this.#deadSince.get(name)?.atMs ?? 0;
    if (performance.now() - atMs < this.#deadMs) return;
    this.#sweep(name);
  }

  /** Whatever a ring does to its reader stays with that ring: it is not listed until it can be read. */
  #guarded(name: string, inode: bigint, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof RingError)) this.#drop(name);
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      const said = `${inode} ${why}`;
      if (this.#said.get(name) === said) return;
      this.#said.set(name, said);
      const path = this.#path(name);
      if (error instanceof RingError) this.#log.warn(`${path} is dead but stays: ${why}`);
      else if (error instanceof LayoutError) this.#log.warn(`${path} is not listed: ${why}`);
      else this.#log.warn(`${path} cannot be read: ${why}`);
    }
  }

  /** Names and inodes; what is a link or a pipe is found out at opening. */
  #files(): Map<string, bigint> {
    const files = new Map<string, bigint>();
    const start = `${this.prefix}.`;
    for (const file of readdirSync(this.#folder)) {
      const name = file.slice(start.length);
      if (!file.startsWith(start) || !streamName.safeParse(name).success) continue;
      const status = lstatSync(this.#path(name), { bigint: true, throwIfNoEntry: false });
      if (status) files.set(name, status.ino);
    }
    return files;
  }

  #path(name: string): string {
    return join(this.#folder, `${this.prefix}.${name}`);
  }

  #note(type: StreamEvent["type"], stream: Stream, state: StreamState): void {
    this.#told.set(stream.name, state);
    this.#events.push({ type, stream });
  }
}
