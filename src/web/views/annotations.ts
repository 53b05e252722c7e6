/** Boxes that messages have found in frames of other streams: `refers_to` says in which. */

export interface Box {
  label: string;
  /** x, y, width, height in pixels of the frame. */
  box: [number, number, number, number];
}

export interface Annotation {
  generation: string;
  sequence: bigint;
  boxes: Box[];
  /** `performance.now()` when it came. */
  atMs: number;
}

export interface Reference {
  stream: string;
  /** 32 hexadecimal digits. */
  generation: string;
  sequence: bigint;
  captureTimeNs: bigint | null;
}

const newest = new Map<string, Annotation>();

/** The newest for a stream's pictures; undefined where there was none. */
export function newestAnnotation(stream: string): Annotation | undefined {
  return newest.get(stream);
}

export function annotate({ stream, generation, sequence }: Reference, message: unknown): void {
  const boxes = boxesOf(message);
  if (boxes) newest.set(stream, { generation, sequence, boxes, atMs: performance.now() });
}

const boxesMax = 200;

/**
 * Of `{box}`, `{boxes: [{label, box}]}` or a list of such; null where the message speaks of no boxes. An
 * empty list is a result too: nothing was found.
 */
export function boxesOf(message: unknown): Box[] | null {
  if (Array.isArray(message)) {
    const all = message.map(boxOf).filter((box) => box !== null);
    return all.length > 0 ? all.slice(0, boxesMax) : null;
  }
  if (typeof message !== "object" || message === null) return null;
  if ("boxes" in message && Array.isArray(message.boxes)) {
    return message.boxes
      .map(boxOf)
      .filter((box) => box !== null)
      .slice(0, boxesMax);
  }
  const one = boxOf(message);
  return one && [one];
}

function boxOf(value: unknown): Box | null {
  if (typeof value !== "object" || value === null) return null;
  const { box, label, score } = (Array.isArray(value) ? { box: value } : value) as Record<
    string,
    unknown
  >;
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) return null;
  const share = typeof score === "number" ? ` ${Math.round(score * 100)} %` : "";
  const words = typeof label === "string" || typeof label === "number" ? `${label}${share}` : "";
  return { label: words.slice(0, 60), box: box as Box["box"] };
}

/** What a message's fields say it was computed from; null where it refers to nothing. */
export function referenceOf(fields: Record<string, unknown>): Reference | null {
  const sequence = fields.refers_to_sequence;
  const generation = fields.refers_to_generation;
  const stream = fields.refers_to_stream;
  if (typeof sequence !== "bigint" || sequence === 0n) return null;
  if (!Array.isArray(generation) || !Array.isArray(stream)) return null;
  const captured = fields.refers_to_capture_time_ns;
  return {
    stream: new TextDecoder().decode(Uint8Array.from(stream as number[])).replace(/\0.*$/s, ""),
    generation: (generation as number[]).map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    sequence,
    captureTimeNs:
      typeof captured === "bigint" && captured !== 0xffff_ffff_ffff_ffffn ? captured : null,
  };
}
