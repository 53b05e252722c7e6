/**
 * How a message is read, apart from where its bytes come from: a generator that yields how many bytes
 * it needs next and is given exactly these. The same grammar reads a socket (byte-reader.ts) and an array.
 *
 * The bytes of one yield are valid until the next: what is needed longer is copied or decoded.
 */
import { ProtocolError } from "./protocol-error.ts";
import { type Field, viewOf } from "./record.ts";

export type Grammar<T> = Generator<number, T, Uint8Array>;

/** One field or record. */
export function* value<T>(field: Field<T>): Grammar<T> {
  return field.read(viewOf(yield field.bytes), 0);
}

/** @throws ProtocolError `truncated` where the array ends too soon */
export function createArrayReader(bytes: Uint8Array, where: string) {
  let at = 0;

  function take(count: number): Uint8Array {
    const left = bytes.byteLength - at;
    if (count > left) throw truncated(where, { count, left });
    at += count;
    return bytes.subarray(at - count, at);
  }

  return {
    get left(): number {
      return bytes.byteLength - at;
    },
    read<T>(grammar: Grammar<T>): T {
      let step = grammar.next();
      while (!step.done) step = grammar.next(take(step.value));
      return step.value;
    },
  };
}

/** One message that fills the array: bytes left over are an error too. */
export function parseExactly<T>(grammar: Grammar<T>, bytes: Uint8Array, where: string): T {
  const reader = createArrayReader(bytes, where);
  const parsed = reader.read(grammar);
  if (reader.left > 0) {
    const what = `${reader.left} bytes more than the message has`;
    throw new ProtocolError({ where, what, allowed: `${bytes.byteLength - reader.left} bytes` });
  }
  return parsed;
}

export function truncated(where: string, { count, left }: { count: number; left: number }) {
  return new ProtocolError({
    where,
    what: `ended inside a message, with ${left} of the next ${count} bytes`,
    allowed: "an end between two messages",
    kind: "truncated",
  });
}
