/** The flags that every verb understands, before or after it. */
import { type Command, InvalidArgumentError } from "commander";

export interface GlobalOptions {
  config?: string;
  host?: string;
  port?: number;
  prefix?: string;
  json?: boolean;
}

export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

/** Words for the user and the exit code that goes with them; no stack. */
export class CliError extends Error {
  override name = "CliError";
  readonly code: number;

  constructor(words: string, code: number = exitCode.failed) {
    super(words);
    this.code = code;
  }
}

export function addGlobalOptions(program: Command): Command {
  return program
    .option("--config <file>", "configuration (default: streamem.yaml if it is there)")
    .option("--host <address>", "address of the HTTP API (default: 127.0.0.1)")
    .option("--port <number>", "port of the HTTP API (default: 7766)", parsePort)
    .option("--prefix <name>", "first part of every ring's name (default: streamem)", parsePrefix)
    .option("--json", "machine-readable output");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 (any free one) to 65535.");
}

function parsePrefix(text: string): string {
  if (/^[a-z0-9_-]{1,32}$/.test(text)) return text;
  throw new InvalidArgumentError("A prefix has 1 to 32 of a-z 0-9 _ - (no dot).");
}
