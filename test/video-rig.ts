/** Video sensors as the hub runs them, films made on the spot, and an independent decoder to hold them to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { SensorContext, SensorState } from "../sensors/sensor.ts";
import { video } from "../sensors/video.ts";
import {
  createWriter,
  type Frame,
  openReader,
  type RingReader,
  type RingWriter,
} from "../src/ring.ts";
import { sweepPrefix, sweepStreams } from "../src/streams/sweep.ts";
import type { SensorStatus } from "../src/supervisor/sensor-status.ts";
import { createSupervisor, type Supervisor } from "../src/supervisor/supervisor.ts";
import type { Awaited } from "./fixtures/awaited-video.ts";

/** 132 frames of 1280x720 at 25/s in 5.28 s, one key frame; six channels of sound for 5.312 s. */
export const bigBuckBunny = join(import.meta.dir, "data/bbb-720p.mp4");

export const haveFfmpeg = Bun.which("ffmpeg") !== null;
if (!haveFfmpeg) {
  console.warn("ffmpeg is missing: video not tested against it. apt-get install ffmpeg");
}

/** Debian's ffmpeg. Throws its words. */
export function ffmpeg(...words: string[]): Uint8Array {
  const done = Bun.spawnSync(["ffmpeg", "-v", "error", "-nostdin", "-y", ...words], {
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!done.success) throw new Error(`ffmpeg ${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

/** What another build of FFmpeg decodes: an MD5 of each picture's bytes. */
export function md5OfPictures(file: string, pixelFormat = "bgr24", filter = "null"): string[] {
  const format = ["-an", "-pix_fmt", pixelFormat, "-fps_mode", "passthrough", "-f", "framemd5"];
  const lines = new TextDecoder().decode(ffmpeg("-i", file, "-vf", filter, ...format, "-"));
  return lines
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => (line.split(",").at(-1) as string).trim());
}

export function md5(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("md5").update(bytes).digest("hex");
}

/** A folder for films, gone at the end. */
export function filmFolder(): { path(name: string): string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "streamem-film-"));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The first seconds of the film, small and quickly decoded, as `options` of ffmpeg say. */
export function makeFilm(path: string, seconds: number, ...options: string[]): string {
  const small = options.includes("-vf") ? [] : ["-vf", "scale=160:90"];
  ffmpeg("-i", bigBuckBunny, "-t", String(seconds), ...small, ...options, path);
  return path;
}

export interface TakenFrame
  extends Pick<
    Frame,
    | "seq"
    | "shape"
    | "deviceTime"
    | "captureTimeNs"
    | "timeErrorNs"
    | "clockEpoch"
    | "publishTimeNs"
    | "missed"
    | "fields"
    | "generation"
  > {
  bytes: Uint8Array;
  md5: string;
}

function take(frame: Frame): TakenFrame {
  const bytes = frame.copy() as Uint8Array;
  const { seq, shape, missed, fields, generation } = frame;
  const { deviceTime, captureTimeNs, timeErrorNs, clockEpoch, publishTimeNs } = frame;
  const times = { deviceTime, captureTimeNs, timeErrorNs, clockEpoch, publishTimeNs };
  return { seq, shape, missed, fields, generation, ...times, bytes, md5: md5(bytes) };
}

const atOnce = (reader: RingReader) => reader.next({ timeoutMs: 0 });

type VideoConfig = ReturnType<typeof video.config.parse>;
type Keys = { url: string } & Record<string, unknown>;
const awaitedKinds = join(import.meta.dir, "fixtures/awaited-video.ts");

export class VideoRig {
  readonly prefix: string;
  readonly directory = mkdtempSync(join(tmpdir(), "streamem-test-"));
  #supervisor: Supervisor | null = null;
  #hub: Subprocess | null = null;
  #told: SensorStatus | null = null;
  #readers: RingReader[] = [];
  statuses: SensorStatus[] = [];

  constructor(label: string) {
    this.prefix = `t${process.pid}-${label}`;
  }

  /** Started in a process of its own. */
  async start(keys: Keys): Promise<Supervisor> {
    return this.#start(video.config.parse({ kind: "video", name: "film", ...keys }));
  }

  /**
   * The same, but it waits with the first frame of a stream until {@link reader} has opened that, and keeps more
   * frames than the films here have: nothing is lost on a test that comes late.
   */
  async play(keys: Keys, name = "film"): Promise<Supervisor> {
    const config = video.config.parse({ kind: "video", name: "film", slots: 64, ...keys });
    const awaited: Awaited = { name, file: this.#readMark(name) };
    return this.#start(Object.assign(config, { awaited }), awaitedKinds);
  }

  async #start(config: VideoConfig, kindsModule?: string): Promise<Supervisor> {
    const { prefix, directory } = this;
    const supervisor = createSupervisor({
      sensors: [
        { name: "film", kind: "video", config, streams: video.streams(config), parts: [""] },
      ],
      prefix,
      group: null,
      directory,
      ...(kindsModule && { kindsModule }),
      sweep: (names) => sweepStreams(prefix, names, directory),
    });
    this.#supervisor = supervisor;
    this.statuses = [];
    supervisor.subscribe((status) => this.statuses.push(status));
    await supervisor.start("film");
    return supervisor;
  }

  /** The same with another environment, which only a new process can have. */
  startWith(environment: Record<string, string>, keys: Keys) {
    const config = video.config.parse({ kind: "video", name: "film", ...keys });
    const { prefix, directory } = this;
    const hub = Bun.spawn([process.execPath, join(import.meta.dir, "fixtures/hub-of-sensor.ts")], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "advanced",
      ipc: (status: SensorStatus) => {
        this.#told = status;
        this.statuses.push(status);
      },
    });
    this.#hub = hub;
    hub.send({ prefix, directory, config });
  }

  async reader(name = "film"): Promise<RingReader> {
    const reader = await openReader(name, { prefix: this.prefix, timeoutMs: 30_000 });
    this.#readers.push(reader);
    writeFileSync(this.#readMark(name), "");
    return reader;
  }

  #readMark(name: string): string {
    return join(this.directory, `${name}.read`);
  }

  /**
   * Every frame of a ring from its first to its end, as long as the test asks for more. A reader begins
   * at the newest; what was published before it came is taken from the ring's history.
   */
  async *frames(name = "film"): AsyncGenerator<TakenFrame> {
    const reader = await this.reader(name);
    const history = reader.descriptor.shm.slotCount - 1;
    let began = false;
    for (;;) {
      const frame = await reader.next({ timeoutMs: 200 });
      if (frame && !began) {
        const earlier = reader.last(history).filter(({ seq }) => seq < frame.seq);
        for (const old of earlier) yield take(old);
      }
      began ||= frame !== null;
      if (frame) yield take(frame);
      else if (reader.state === "retired" || reader.state === "dead") break;
    }
    // Those that came between the two looks.
    for (let frame = await atOnce(reader); frame; frame = await atOnce(reader)) yield take(frame);
  }

  get status(): SensorStatus {
    return this.#told ?? (this.#supervisor?.get("film") as SensorStatus);
  }

  /** Resolves when the sensor's status is as asked; the test's own time limit ends it. */
  async until(asked: (status: SensorStatus) => boolean): Promise<SensorStatus> {
    while (!this.status || !asked(this.status)) await Bun.sleep(5);
    return this.status;
  }

  async close(): Promise<void> {
    for (const reader of this.#readers.splice(0)) reader.close();
    await this.#supervisor?.close();
    this.#supervisor = null;
    this.#hub?.disconnect();
    await this.#hub?.exited;
    this.#hub = null;
    this.#told = null;
    sweepPrefix(this.prefix, this.directory);
    rmSync(this.directory, { recursive: true, force: true }); // made anew by the next writer
  }
}

/** A sensor's context in this process, with real rings. */
export class TestContext implements SensorContext {
  readonly name = "film";
  readonly part = "";
  readonly stop = new AbortController();
  readonly signal = this.stop.signal;
  readonly counters: Record<string, number> = {};
  readonly states: [SensorState, string | undefined][] = [];
  readonly lines: string[] = [];
  readonly #writers = new Map<string, RingWriter>();
  readonly log = {
    debug: (words: string) => this.lines.push(words),
    info: (words: string) => this.lines.push(words),
    warn: (words: string) => this.lines.push(words),
    error: (words: string) => this.lines.push(words),
  };

  constructor(
    readonly prefix: string,
    readonly directory: string,
  ) {}

  stream: SensorContext["stream"] = (name, spec, options) => {
    const known = this.#writers.get(name);
    if (known) {
      known.renew(spec, options);
      return known;
    }
    const { prefix, directory } = this;
    const writer = createWriter(name, spec, { prefix, directory, ...options });
    this.#writers.set(name, writer);
    return writer;
  };
  state: SensorContext["state"] = (state, words) => this.states.push([state, words]);
  clock(): void {}
  calibration(): void {}
  tell(): void {}
  heard(): void {}
  controls(): void {}

  close(): void {
    for (const writer of this.#writers.values()) writer.close();
  }
}
