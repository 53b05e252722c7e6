/** A program in a test's NDI network that prints a line of JSON for each thing that it saw. */
import type { Subprocess } from "bun";
import { type NdiNetwork, ndiEnvironment } from "./ndi-network.ts";

export class NdiLines {
  readonly #process: Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncGenerator<string>;

  /** @param env besides what NDI needs */
  constructor(network: NdiNetwork, env: Record<string, string>, ...words: string[]) {
    this.#process = Bun.spawn(network.command(process.execPath, ...words), {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...ndiEnvironment, ...env },
    });
    this.#lines = lines(this.#process.stdout);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The next line of which this holds; those before it are gone. */
  async until<Line extends object>(holds: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the program ended without printing ${holds}`);
      const line = JSON.parse(value) as Line;
      if (holds(line)) return line;
    }
  }

  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
    this.#process.stdin.flush();
  }

  /** @returns its exit code, or the signal's name */
  async end(signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGKILL"): Promise<number | string> {
    this.#process.kill(signal);
    await this.#process.exited;
    return this.#process.signalCode ?? this.#process.exitCode ?? "";
  }
}

async function* lines(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of output) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
