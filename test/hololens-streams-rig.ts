/** A stream's receiver with real rings in this process: packets in, what was published out. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HololensConfig, hololensConfig } from "../sensors/hololens/config.ts";
import type { Receiver, StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { decodeFields, type FieldValue } from "../src/ring/fields.ts";
import type { FrameMeta, RingWriter } from "../src/ring.ts";
import { sweepPrefix } from "../src/streams/sweep.ts";
import { TestContext } from "./video-rig.ts";

export interface Published {
  ring: string;
  bytes: Uint8Array;
  shape: readonly number[];
  deviceTime: bigint;
  captureTimeNs: bigint;
  clockEpoch: number;
  fields: Record<string, FieldValue>;
  generation: string;
}

let rigs = 0;

export interface Opened {
  stream: StreamName;
  /** Keys of the sensor beside its kind, name and host. */
  keys?: object;
  /** Bytes of frames are not kept. */
  countOnly?: boolean;
}

export class StreamRig {
  readonly prefix = `t${process.pid}-hl${rigs++}`;
  readonly directory = mkdtempSync(join(tmpdir(), "streamem-test-"));
  readonly context = new TestContext(this.prefix, this.directory);
  readonly writers = new Map<string, RingWriter>();
  readonly published: Published[] = [];
  readonly config: HololensConfig;
  publishedCount = 0;
  #receiver: Receiver | null = null;
  #slot = new Uint8Array(0);

  constructor(readonly opened: Opened) {
    const base = { kind: "hololens", name: "hl", host: "headset" };
    this.config = hololensConfig.parse({ ...base, ...opened.keys });
    const make = this.context.stream;
    this.context.stream = (name, spec, options) => {
      const writer = make(name, spec, options);
      if (this.writers.get(name) !== writer) this.#record(name, writer);
      return writer;
    };
  }

  async open<F extends StreamFamily>(receiving: StreamReceiving<F>): Promise<Receiver> {
    const { config, context, opened } = this;
    const clock = {
      name: "HoloLens QPC",
      unit: "100 ns",
      epoch: "device boot",
      method: "probe",
    } as const;
    this.#receiver = await receiving.open({
      ...{ context, config, stream: opened.stream, ring: `hl.${opened.stream}` },
      clock: {
        map: (ticks) => ({ captureTimeNs: ticks * 100n, timeErrorNs: 1000n, clockEpoch: 0 }),
      },
      described: { clock, lagNs: 0, source: { kind: "hololens" } },
    });
    return this.#receiver;
  }

  get receiver(): Receiver {
    return this.#receiver as Receiver;
  }

  /** Gives what this payload had published. */
  take(payload: Uint8Array, timestamp = 1n, pose: Float32Array | null = null): Published[] {
    const before = this.published.length;
    this.receiver.take({ payload, timestamp, pose, arrivalNs: timestamp * 100n + 5000n }, 0);
    return this.published.slice(before);
  }

  /** The same; a ProtocolError `frame` is its words. Any other error is thrown. */
  tryTake(payload: Uint8Array, timestamp = 1n): Published[] | string {
    try {
      return this.take(payload, timestamp);
    } catch (error) {
      if (error instanceof ProtocolError && error.kind === "frame") return error.message;
      throw error;
    }
  }

  #record(name: string, writer: RingWriter): void {
    this.writers.set(name, writer);
    const { acquire, commit, publish } = writer;
    const keep = (bytes: Uint8Array, meta: FrameMeta) => {
      this.publishedCount += 1;
      if (this.opened.countOnly) return;
      const { fields, shape } = writer.descriptor;
      this.published.push({
        ring: name,
        bytes: bytes.slice(),
        shape: meta.shape ?? shape,
        deviceTime: meta.deviceTime ?? 0n,
        captureTimeNs: meta.captureTimeNs ?? 0n,
        clockEpoch: meta.clockEpoch ?? -1,
        fields: decodeFields(meta.fields ?? new Uint8Array(0), fields),
        generation: writer.generation,
      });
    };
    const slots = new Map<string, Uint8Array>();
    writer.acquire = () => {
      const slot = acquire.call(writer);
      slots.set(name, slot);
      return slot;
    };
    writer.commit = (bytes, meta = {}) => {
      keep((slots.get(name) ?? this.#slot).subarray(0, bytes), meta);
      return commit.call(writer, bytes, meta);
    };
    writer.publish = (value, meta = {}) => {
      const payload = value as ArrayBufferView; // the headset makes no messages
      keep(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), meta);
      return publish.call(writer, payload, meta);
    };
  }

  close(): void {
    this.#receiver?.close();
    this.context.close();
    sweepPrefix(this.prefix, this.directory);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
