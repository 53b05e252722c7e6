/** Why a connection to the headset could not be made or came to its end, in one word for code. */

export type LossReason =
  /** No such name. */
  | "unknown-host"
  /** No way there: this machine's network, or nobody with that address on it. */
  | "unreachable"
  /** Nothing listens on that port. */
  | "refused"
  /** Not even a refusal within the connect timer. */
  | "no-answer"
  /** Made, and nothing came within its timer. */
  | "silent"
  /** Ended by the peer, between two messages. */
  | "closed"
  | "reset";

export class ConnectionLost extends Error {
  override name = "ConnectionLost";
  readonly reason: LossReason;
  /** The operating system's own word, where it had one. */
  readonly code: string | null;

  constructor(
    reason: LossReason,
    { code = null, cause }: { code?: string | null; cause?: unknown } = {},
  ) {
    super(code === null ? reason : `${reason} (${code})`, { cause });
    this.reason = reason;
    this.code = code;
  }
}

const reasons: Record<string, LossReason> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  EAI_NODATA: "unknown-host",
  ETIMEDOUT: "no-answer",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
};

/** What the operating system said, sorted. While connected, a time-out is keep-alive's: silence. */
export function lossOf(error: unknown, connected: boolean): ConnectionLost {
  if (error instanceof ConnectionLost) return error;
  const code = (error as NodeJS.ErrnoException).code ?? null;
  const reason = reasons[code ?? ""] ?? "unreachable";
  const sorted = reason === "no-answer" && connected ? "silent" : reason;
  return new ConnectionLost(sorted, { code, cause: error });
}
