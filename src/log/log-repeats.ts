/**
 * Repeated warnings and errors: the first is reported at once, the rest are counted and reported at
 * most once a second. A camera that is switched off must not fill the disk.
 */
import type { LogRecord, Sink } from "@logtape/logtape";

interface Repeats {
  count: number;
  last: LogRecord;
  timer: ReturnType<typeof setInterval>;
}

export interface RepeatFilter {
  sink: Sink;
  /** Reports what is still held back. */
  flush(): void;
}

export function countRepeats(sink: Sink, intervalMs = 1000): RepeatFilter {
  const seen = new Map<string, Repeats>();

  const report = (key: string, repeats: Repeats) => {
    if (repeats.count === 0) {
      clearInterval(repeats.timer);
      seen.delete(key);
      return;
    }
    sink(repeats.count === 1 ? repeats.last : counted(repeats.last, repeats.count));
    repeats.count = 0;
  };

  return {
    sink(record) {
      if (record.level !== "warning" && record.level !== "error") return sink(record);
      const key = sameness(record);
      const repeats = seen.get(key);
      if (repeats) {
        repeats.count += 1;
        repeats.last = record;
        return;
      }
      sink(record);
      const entry: Repeats = {
        count: 0,
        last: record,
        timer: setInterval(() => report(key, entry), intervalMs),
      };
      entry.timer.unref();
      seen.set(key, entry);
    },
    flush() {
      for (const [key, repeats] of seen) {
        if (repeats.count > 0) report(key, repeats);
        clearInterval(repeats.timer);
      }
      seen.clear();
    },
  };
}

/** Two messages are the same where they differ only in numbers: pids and waits change each time. */
function sameness(record: LogRecord): string {
  const words = record.message.map(String).join("").replace(/\d+/g, "#");
  return `${record.level} ${record.category.join(".")} ${words}`;
}

function counted(record: LogRecord, count: number): LogRecord {
  const message = [...record.message];
  message[message.length - 1] = `${message.at(-1)} (${count} times)`;
  return { ...record, message, properties: { ...record.properties, count } };
}
