/** What a sensor's process prints: kept for the moment it dies, shown with STREAMEM_LOG=debug. */

const keptLines = 20;
const lineBytesMax = 2000;

export interface Output {
  /** The last lines so far, oldest first. */
  lines: string[];
  /** Resolves when everything was read, also what was written just before the end. */
  drained: Promise<unknown>;
}

export function readOutput(
  streams: ReadableStream<Uint8Array>[],
  onLine: (line: string) => void,
): Output {
  const lines: string[] = [];
  const keep = (line: string) => {
    if (line.trim() === "") return;
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    onLine(line);
  };
  return { lines, drained: Promise.allSettled(streams.map((stream) => eachLine(stream, keep))) };
}

async function eachLine(stream: ReadableStream<Uint8Array>, give: (line: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n|\r/);
    rest = (parts.pop() ?? "").slice(-lineBytesMax);
    for (const part of parts) give(part.slice(0, lineBytesMax));
  }
  give(rest);
}
