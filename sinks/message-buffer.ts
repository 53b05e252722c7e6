/** Messages that wait to be sent, at most so many bytes: beyond that the oldest go, and are counted. */

/** A message as a ring had it. */
export interface SentMessage {
  stream: string;
  generation: string;
  sequence: bigint;
  captureTimeNs: bigint | null;
  publishUtcNs: bigint;
  /** As JSON with 64-bit numbers as text; null where it refers to nothing. */
  refersTo: string | null;
  payload: Uint8Array;
}

export interface MessageBuffer {
  put(message: SentMessage): void;
  /** The oldest `count`; they stay until `sent` says that they have arrived. */
  oldest(count: number): readonly SentMessage[];
  sent(messages: readonly SentMessage[]): void;
  /** Resolves when there is something to send, or after `timeoutMs`. */
  filled(timeoutMs: number): Promise<void>;
}

/** What a message costs besides its payload. */
const overheadBytes = 256;

export function createMessageBuffer(
  bytesMax: number,
  counters: Record<string, number>,
): MessageBuffer {
  let waiting: SentMessage[] = [];
  let bytes = 0;
  let wake = () => {};
  const sizeOf = ({ payload }: SentMessage) => payload.byteLength + overheadBytes;
  const forget = (count: number) => {
    for (const message of waiting.slice(0, count)) bytes -= sizeOf(message);
    waiting = waiting.slice(count);
    counters.buffered = waiting.length;
  };

  return {
    put(message) {
      waiting.push(message);
      bytes += sizeOf(message);
      let surplus = 0;
      for (let left = bytes; left > bytesMax; surplus++)
        left -= sizeOf(waiting[surplus] as SentMessage);
      counters.dropped = (counters.dropped ?? 0) + surplus;
      forget(surplus);
      wake();
    },
    oldest: (count) => waiting.slice(0, count),
    sent(messages) {
      // Some of them may have been dropped while they were on their way.
      const arrived = new Set(messages);
      forget(waiting.findLastIndex((message) => arrived.has(message)) + 1);
    },
    async filled(timeoutMs) {
      if (waiting.length > 0) return;
      const timer = Promise.withResolvers<void>();
      wake = timer.resolve;
      const limit = setTimeout(timer.resolve, timeoutMs);
      await timer.promise;
      clearTimeout(limit);
    },
  };
}
