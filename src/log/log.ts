/**
 * The hub's log on stderr: coloured lines on a terminal, plain lines elsewhere, JSON lines with
 * `--json`. Passwords in addresses are hidden, repeated errors are counted.
 */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  parseLogLevel,
  type TextFormatter,
} from "@logtape/logtape";
import { getPrettyFormatter } from "@logtape/pretty";
import { countRepeats } from "./log-repeats.ts";
import { redact, redactDeep } from "./redact.ts";

export interface Log {
  debug(words: string, properties?: Record<string, unknown>): void;
  info(words: string, properties?: Record<string, unknown>): void;
  warn(words: string, properties?: Record<string, unknown>): void;
  error(words: string, properties?: Record<string, unknown>): void;
}

export interface LogOptions {
  json?: boolean;
  level?: LogLevel;
  write?: (text: string) => void;
}

/** @returns what to call at the end, so that nothing counted is lost */
export async function startLog(options: LogOptions = {}): Promise<() => Promise<void>> {
  const format = formatter(options.json ?? false);
  const write = options.write ?? writeStderr;
  const repeats = countRepeats((record) => write(format(hidden(record))));
  await configure({
    reset: true,
    sinks: { stderr: repeats.sink },
    loggers: [
      { category: "streamem", sinks: ["stderr"], lowestLevel: options.level ?? levelAsked() },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
  return async () => {
    repeats.flush();
    await dispose();
  };
}

/** A log for one part of the hub. Its words are taken as they are: braces mean nothing. */
export function logFor(...category: string[]): Log {
  const logger = getLogger(["streamem", ...category]);
  return {
    debug: (words, properties) => logger.debug(literal(words), properties ?? {}),
    info: (words, properties) => logger.info(literal(words), properties ?? {}),
    warn: (words, properties) => logger.warn(literal(words), properties ?? {}),
    error: (words, properties) => logger.error(literal(words), properties ?? {}),
  };
}

function literal(words: string): string {
  return words.replaceAll("{", "{{").replaceAll("}", "}}");
}

function formatter(json: boolean): TextFormatter {
  if (json) return getJsonLinesFormatter({ categorySeparator: (names) => ownPart(names, ".") });
  const category = (names: readonly string[]) => ownPart(names, " ");
  if (!process.stderr.isTTY) return getTextFormatter({ timestamp: "rfc3339", category });
  return getPrettyFormatter({
    icons: false,
    timestamp: "time",
    categorySeparator: " ",
    categoryWidth: 20,
    messageStyle: null,
    messageColor: null,
    wordWrap: false,
  });
}

/** Everything here is streamem: the first name says nothing. */
function ownPart(names: readonly string[], separator: string): string {
  return names.slice(names[0] === "streamem" ? 1 : 0).join(separator);
}

function levelAsked(): LogLevel {
  const asked = process.env.STREAMEM_LOG;
  if (!asked) return "info";
  try {
    return parseLogLevel(asked);
  } catch {
    return "info"; // a wrong word here is no reason to start without a log
  }
}

function hidden(record: LogRecord): LogRecord {
  return {
    ...record,
    message: record.message.map((part, i) =>
      i % 2 === 0 ? redact(String(part)) : redactDeep(part),
    ),
    properties: redactDeep(record.properties) as Record<string, unknown>,
  };
}

function writeStderr(text: string): void {
  process.stderr.write(text);
}
