/**
 * What the peer did that the protocol does not allow, in words.
 *
 * - `malformed`: what comes is not the protocol, or the place in it is lost. There is no mark to find it
 *   again by: end the connection.
 * - `truncated`: the connection ended inside a message.
 * - `frame`: this frame alone is unusable. It was as long as announced, so the next one is in order.
 */
export type ProtocolErrorKind = "malformed" | "truncated" | "frame";

/** Thrown by everything here that reads. (What encodes throws RangeError: its caller is at fault.) */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  readonly kind: ProtocolErrorKind;
  readonly where: string;
  readonly what: string;
  readonly allowed: string;

  constructor(words: {
    where: string;
    what: string;
    allowed: string;
    kind?: ProtocolErrorKind;
    cause?: unknown;
  }) {
    const { where, what, allowed, kind = "malformed", cause } = words;
    super(`${where}: ${what}; allowed: ${allowed}`, { cause });
    this.where = where;
    this.what = what;
    this.allowed = allowed;
    this.kind = kind;
  }
}

/** Names of codes for an error's `allowed`: `0 auto, 3 manual`. */
export function listed(names: Record<string, number>): string {
  return Object.entries(names)
    .map(([name, code]) => `${code} ${name}`)
    .join(", ");
}
