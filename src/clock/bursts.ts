/**
 * When to probe: eight times within half a second, every two seconds. A burst, because the best of eight
 * comes near to the network's least round trip; spread and at a random phase, because probes in step
 * with a device's own frames would all meet the same queue.
 */
import type { ProbeClock, TickProbe } from "./probe-clock.ts";

export interface BurstsOptions {
  clock: Pick<ProbeClock, "observe" | "settle">;
  /**
   * Asks the device for its ticks. Read t0 just before the question is written and t3 first thing when
   * the answer comes; give the connection no-delay. Asked one at a time. A failure ends its burst.
   */
  probe(): Promise<TickProbe>;
  signal: AbortSignal;
  /** After each burst, also one that failed: tell the hub. */
  settled?: (() => void) | undefined;
  /** No answer, and why. The next burst comes all the same. */
  failed(error: unknown): void;
  probesPerBurst?: number | undefined;
  gapMs?: number | undefined;
  periodMs?: number | undefined;
  time?: Time | undefined;
}

/** Replaced in tests. */
export interface Time {
  nowMs(): number;
  /** Ends early, without a word, when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
}

export interface Bursts {
  /** Until the signal is aborted. */
  run(): Promise<void>;
  /** The next burst begins now, or half a second after the last one. */
  soon(): void;
}

/** So often at most, however many frames are in doubt. */
const restMs = 500;
/** Of the gap, to either side. */
const jitter = 0.25;

export function createBursts(options: BurstsOptions): Bursts {
  const { clock, probe, signal, settled, failed, time = realTime } = options;
  const { probesPerBurst = 8, gapMs = 64, periodMs = 2000 } = options;
  let hurry = new AbortController();

  const burst = async () => {
    for (let i = 0; i < probesPerBurst && !signal.aborted; i++) {
      const askedMs = time.nowMs();
      clock.observe(await probe());
      const nextMs = askedMs + gapMs * (1 - jitter + 2 * jitter * time.random());
      if (i < probesPerBurst - 1) await time.sleep(nextMs - time.nowMs(), signal);
    }
  };

  const rest = async (startedMs: number) => {
    await time.sleep(Math.min(restMs, periodMs / 4), signal);
    const nextMs = startedMs + periodMs + gapMs * time.random();
    await time.sleep(nextMs - time.nowMs(), AbortSignal.any([signal, hurry.signal]));
    hurry = new AbortController();
  };

  return {
    async run() {
      while (!signal.aborted) {
        const startedMs = time.nowMs();
        try {
          await burst();
        } catch (error) {
          if (!signal.aborted) failed(error);
        }
        clock.settle();
        settled?.();
        await rest(startedMs);
      }
    },
    soon: () => hurry.abort(),
  };
}

const realTime: Time = {
  nowMs: () => performance.now(),
  random: Math.random,
  sleep(ms, signal) {
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
    });
  },
};
