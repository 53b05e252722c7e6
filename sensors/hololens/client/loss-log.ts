/** A loss in the log: once, however often the same is tried again, and that it is over. */
import type { SensorLog } from "../../sensor.ts";

export interface LossLog {
  /** @param quietly said by another process already: for those who look closer */
  lost(words: string, quietly?: boolean): void;
  /** It is over. */
  back(words: string): void;
}

export function createLossLog(log: SensorLog): LossLog {
  let said: string | null = null;
  let loudly = false;
  return {
    lost(words, quietly = false) {
      if (words === said) return;
      said = words;
      loudly ||= !quietly;
      log[quietly ? "debug" : "warn"](`${words}; tried again`);
    },
    back(words) {
      if (said !== null) log[loudly ? "info" : "debug"](words);
      said = null;
      loudly = false;
    },
  };
}
