/** Message streams that the hub itself writes, for those who send messages over HTTP. */
import { messageCapacityBytes } from "../ring/descriptor.ts";
import { createWriter, type FrameReference, RingError, type RingWriter } from "../ring.ts";

/** A message stream as the config declares it. */
export interface DeclaredMessages {
  name: string;
  encoding: "json" | "utf8" | "msgpack";
  /** Bytes of the largest message. */
  payloadCapacity: number;
  slots?: number | undefined;
}

/** What is known of a message besides its value. */
export interface MessageMeta {
  captureTimeNs?: bigint | undefined;
  timeErrorNs?: bigint | undefined;
  refersTo?: FrameReference | null | undefined;
}

export interface Published {
  generation: string;
  sequence: bigint;
}

/** So many may be made by a first message; who needs more declares them. */
const undeclaredMax = 64;

export class TooManyStreams extends Error {
  override name = "TooManyStreams";
}

export interface MessageStreamsOptions {
  prefix: string;
  group: number | null;
  directory: string;
  declared: DeclaredMessages[];
}

export class MessageStreams {
  readonly #options: MessageStreamsOptions;
  readonly #writers = new Map<string, RingWriter>();

  constructor(options: MessageStreamsOptions) {
    this.#options = options;
  }

  /** The declared ones, and those made since. */
  names(): string[] {
    const declared = this.#options.declared.map(({ name }) => name);
    return [...new Set([...declared, ...this.#writers.keys()])];
  }

  /** That its messages have, or will have once it is made. */
  encoding(name: string): DeclaredMessages["encoding"] {
    return this.#declared(name)?.encoding ?? "json";
  }

  /** Bytes of the largest message. */
  payloadCapacity(name: string): number {
    return this.#declared(name)?.payloadCapacity ?? messageCapacityBytes;
  }

  /** Makes a declared one, so that readers find it before its first message. Throws RingError. */
  open(name: string): RingWriter {
    const known = this.#writers.get(name);
    if (known) return known;
    const { prefix, group, directory } = this.#options;
    const spec = this.#declared(name);
    if (!spec && this.#undeclared() >= undeclaredMax) {
      throw new TooManyStreams(
        `the hub has made ${undeclaredMax} message streams for first messages already: declare more under \`messages\` in streamem.yaml`,
      );
    }
    const writer = createWriter(
      name,
      { kind: "message", encoding: this.encoding(name), source: { kind: "api" } },
      {
        prefix,
        directory,
        group: group ?? undefined,
        slots: spec?.slots,
        payloadCapacity: this.payloadCapacity(name),
      },
    );
    this.#writers.set(name, writer);
    return writer;
  }

  /** `bytes` are as the stream's encoding wants them. Throws RingError: EMSGSIZE too large, EBUSY another writes it. */
  publish(name: string, bytes: Uint8Array, meta: MessageMeta): Published {
    const capacity = this.payloadCapacity(name);
    if (bytes.byteLength > capacity) {
      throw new RingError(
        "EMSGSIZE",
        `stream "${name}": a message of ${bytes.byteLength} bytes, it takes ${capacity}: raise its \`payloadCapacity\` under \`messages\` in streamem.yaml`,
      );
    }
    const writer = this.open(name);
    const sequence = writer.publish(bytes, meta);
    return { generation: writer.generation, sequence };
  }

  /** Retires and unlinks all of them. */
  close(): void {
    for (const writer of this.#writers.values()) writer.close();
    this.#writers.clear();
  }

  #declared(name: string): DeclaredMessages | undefined {
    return this.#options.declared.find((stream) => stream.name === name);
  }

  #undeclared(): number {
    return [...this.#writers.keys()].filter((name) => !this.#declared(name)).length;
  }
}
