/** The faults of this moment: on the command line from a moment on, in tests at any time. */
import {
  type Fault,
  type FaultKind,
  type FaultName,
  faultKinds,
  type PortName,
} from "./fault-kinds.ts";

export interface Faults {
  /** @returns takes it back */
  set(fault: Fault): () => void;
  /** The present fault of that kind at a port: its value, or the usual one, or 0; null: there is none. */
  find(kind: FaultName, port: PortName): number | string | null;
  /** As {@link Faults.find}, and it is over. */
  take(kind: FaultName, port: PortName): number | string | null;
  /** Resolves when `holds` does; looked at whenever a fault comes or goes. */
  until(holds: () => boolean): Promise<void>;
  close(): void;
}

/** @param changed called whenever a fault came or went */
export function createFaults(changed: () => void): Faults {
  const present = new Set<Fault>();
  const timers = new Set<Timer>();
  const waiting = new Set<() => void>();
  let isClosed = false;

  function announce(): void {
    changed();
    for (const look of [...waiting]) look();
  }

  function later(seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      then();
    }, seconds * 1000);
    timers.add(timer);
  }

  function begin(fault: Fault): void {
    present.add(fault);
    const { value }: FaultKind = faultKinds[fault.kind];
    if (value === "s" && fault.kind !== "reboot" && fault.value !== undefined) {
      later(Number(fault.value), () => end(fault));
    }
    announce();
  }

  function end(fault: Fault): void {
    if (present.delete(fault)) announce();
  }

  function presentAt(kind: FaultName, port: PortName): Fault | undefined {
    const { whole }: FaultKind = faultKinds[kind];
    const ofKind = [...present].filter((fault) => fault.kind === kind);
    const own = ofKind.find((fault) => whole || fault.port === port);
    return own ?? ofKind.find((fault) => fault.port === "all");
  }

  function valueIn({ kind, value }: Fault): number | string {
    const { usual = 0 }: FaultKind = faultKinds[kind];
    return value ?? usual;
  }

  return {
    set(given) {
      const fault = { ...given };
      let cancelled = false;
      const { afterSeconds = 0 } = fault;
      if (afterSeconds > 0) later(afterSeconds, () => cancelled || begin(fault));
      else begin(fault);
      return () => {
        cancelled = true;
        end(fault);
      };
    },

    find(kind, port) {
      const fault = presentAt(kind, port);
      return fault ? valueIn(fault) : null;
    },

    take(kind, port) {
      const fault = presentAt(kind, port);
      if (!fault) return null;
      end(fault);
      return valueIn(fault);
    },

    until(holds) {
      return new Promise((resolve) => {
        const look = () => {
          if (!isClosed && !holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },

    close() {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      for (const look of [...waiting]) look();
    },
  };
}
