/** Grammars over bytes that arrive in pieces of any size, such as a socket's. */
import { type Grammar, truncated } from "./grammar.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface ByteReader {
  /** The next message; null: the source ended before its first byte. Errors of the source pass through. */
  read<T>(grammar: Grammar<T>): Promise<T | null>;
  /** Waits for the end of the source. Throws a ProtocolError if it has more bytes. */
  end(): Promise<void>;
}

/**
 * A piece is put together in memory of its own size, so that a peer that sends single bytes costs no more
 * than one that sends whole messages; what lies in one piece already is handed out as it is.
 *
 * @param options.reuse put all together in the same memory: what a grammar returned is valid until the next `read`
 */
export function createByteReader(
  source: AsyncIterable<Uint8Array>,
  where: string,
  { reuse = false }: { reuse?: boolean } = {},
): ByteReader {
  const pieces = source[Symbol.asyncIterator]();
  let piece = new Uint8Array(0);
  let kept = new Uint8Array(0);

  /** False: the source has ended. */
  async function refill(): Promise<boolean> {
    while (piece.byteLength === 0) {
      const next = await pieces.next();
      if (next.done) return false;
      piece = next.value as Uint8Array<ArrayBuffer>;
    }
    return true;
  }

  function take(count: number): Uint8Array<ArrayBuffer> {
    const taken = piece.subarray(0, count);
    piece = piece.subarray(taken.byteLength);
    return taken;
  }

  function room(count: number): Uint8Array<ArrayBuffer> {
    if (!reuse) return new Uint8Array(count);
    if (kept.byteLength < count) kept = new Uint8Array(2 ** Math.ceil(Math.log2(count)));
    return kept.subarray(0, count);
  }

  async function assemble(count: number): Promise<Uint8Array> {
    const whole = room(count);
    let filled = 0;
    while (filled < count) {
      if (!(await refill())) throw truncated(where, { count, left: filled });
      const part = take(count - filled);
      whole.set(part, filled);
      filled += part.byteLength;
    }
    return whole;
  }

  return {
    async read(grammar) {
      let step = grammar.next();
      let begun = false;
      while (!step.done) {
        const count = step.value;
        if (!begun && count > 0 && !(await refill())) return null;
        begun ||= count > 0;
        step = grammar.next(piece.byteLength >= count ? take(count) : await assemble(count));
      }
      return step.value;
    },

    async end() {
      if (!(await refill())) return;
      const what = "more bytes after the end of the message";
      throw new ProtocolError({ where, what, allowed: "the end of the connection" });
    },
  };
}
