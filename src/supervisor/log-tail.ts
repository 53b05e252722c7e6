/** The last lines that a sensor's processes have said: for whoever asks what goes on, without the hub's terminal. */
import { redact } from "../log/redact.ts";
import type { LogLevelName } from "./sensor-messages.ts";

export interface LogLine {
  /** ISO 8601, UTC. */
  at: string;
  /** `output`: printed by the process or one of its libraries. */
  level: LogLevelName | "output";
  /** Which of the sensor's processes; "" where it is only one. */
  part: string;
  words: string;
}

export const logLinesMax = 200;
const wordsMax = 2000;

export class LogTail {
  readonly #lines: LogLine[] = [];

  add(line: Omit<LogLine, "at">): void {
    const words = redact(line.words.slice(0, wordsMax));
    this.#lines.push({ ...line, at: new Date().toISOString(), words });
    if (this.#lines.length > logLinesMax) this.#lines.shift();
  }

  /** Oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }
}
