/** One connection to Redis at a time, made anew with back-off; what was not acknowledged is sent again. */
import { RedisClient } from "bun";
import type { SensorContext } from "../sensors/sensor.ts";
import { redact } from "../src/log/redact.ts";
import type { MessageBuffer, SentMessage } from "./message-buffer.ts";
import type { RedisConfig } from "./redis.ts";

type Argument = string | Uint8Array;
/** Bun's client takes bytes in its variadic commands; `send` is typed for text alone. */
type Commands = RedisClient & Record<"xadd" | "rpush", (...words: Argument[]) => Promise<unknown>>;

const batchMax = 64;
const idleMs = 200;
/** A server that does not answer for so long is given up. */
const answerMs = 5000;
const backOffMs = { first: 100, most: 5000 };

/** Resolves when the signal is aborted: what is buffered then has had one last try. */
export async function sendTo(
  config: RedisConfig,
  buffer: MessageBuffer,
  { signal, counters, state, log }: SensorContext,
): Promise<void> {
  const where = redact(config.url);
  let pauseMs = backOffMs.first;
  while (!signal.aborted) {
    state("connecting", `to ${where}`);
    const client = newClient(config.url);
    try {
      await inTime(client.connect());
      counters.connections = (counters.connections ?? 0) + 1;
      state("running", `connected to ${where}`);
      await sendAll(client);
    } catch (error) {
      const words = wordsOf(error, where);
      if (!signal.aborted) log.warn(words);
      state("connecting", words);
    } finally {
      client.close();
    }
    if (signal.aborted) return;
    await paused(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, backOffMs.most);
  }

  async function sendAll(client: Commands): Promise<void> {
    for (;;) {
      const batch = buffer.oldest(batchMax);
      if (batch.length > 0) {
        await inTime(send(client, batch, config));
        buffer.sent(batch);
        counters.sent = (counters.sent ?? 0) + batch.length;
        pauseMs = backOffMs.first;
      } else if (signal.aborted) return;
      else if (!client.connected) throw new Error("the connection was closed");
      else await buffer.filled(idleMs);
    }
  }
}

/** Reconnecting is ours: Bun's own gives up after some attempts, and its queue has no bound. */
function newClient(url: string): Commands {
  const options = { autoReconnect: false, enableOfflineQueue: false, connectionTimeout: answerMs };
  return new RedisClient(url, options) as Commands;
}

/** Pipelined: all are on their way before the first is answered. */
async function send(
  client: Commands,
  messages: readonly SentMessage[],
  { key, mode, maxLength }: RedisConfig,
): Promise<void> {
  const keyOf = ({ stream }: SentMessage) => key.replaceAll("{stream}", stream);
  if (mode === "stream") {
    const limit = ["MAXLEN", "~", `${maxLength}`, "*"];
    await Promise.all(
      messages.map((message) => client.xadd(keyOf(message), ...limit, ...entryOf(message))),
    );
    return;
  }
  const pushes = messages.map((message) => client.rpush(keyOf(message), message.payload));
  const trims = [...new Set(messages.map(keyOf))].map((list) =>
    client.send("LTRIM", [list, `${-maxLength}`, "-1"]),
  );
  await Promise.all([...pushes, ...trims]);
}

/** Fields and values of an entry. */
function entryOf(message: SentMessage): Argument[] {
  const { stream, generation, sequence, captureTimeNs, publishUtcNs, refersTo, payload } = message;
  return [
    ...["stream", stream, "generation", generation, "sequence", `${sequence}`],
    ...["publishUtcNs", `${publishUtcNs}`],
    ...(captureTimeNs === null ? [] : ["captureTimeNs", `${captureTimeNs}`]),
    ...(refersTo === null ? [] : ["refersTo", refersTo]),
    ...["message", payload],
  ];
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const words = `no answer for ${answerMs / 1000} s`;
  const timer = setTimeout(() => late.reject(new Error(words)), answerMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // said by the race already, or of no interest any more
  }
}

/** The library says of a refused connection and of a wrong password alike that it was closed. */
function wordsOf(error: unknown, where: string): string {
  const { message, code } = error as Error & { code?: string };
  const hint =
    code === "ERR_REDIS_CONNECTION_CLOSED"
      ? "; is a Redis there, and are user and password right?"
      : "";
  return redact(`Redis at ${where}: ${message}${hint}`);
}

function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
