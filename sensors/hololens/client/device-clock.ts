/**
 * The headset's clock, compared by probes for all streams. A process that was started anew begins a new
 * clock: its epochs go on from what the streams' processes know.
 */
import { type Bursts, createBursts } from "../../../src/clock/bursts.ts";
import { createProbeClock, type TickProbe } from "../../../src/clock/probe-clock.ts";
import type { News } from "../../../src/clock/timeline.ts";
import type { ClockState } from "../../sensor.ts";
import { ticksPerSecond } from "./device-link.ts";

export interface DeviceClockOptions {
  /** Throws where the headset does not answer: no matter, the connection's loss is said elsewhere. */
  probe(): Promise<TickProbe>;
  signal: AbortSignal;
  news(news: News): void;
  state(state: ClockState): void;
  periodMs?: number | undefined;
  gapMs?: number | undefined;
}

export interface HeadsetClock {
  /** Until the signal is aborted. */
  run: Bursts["run"];
  soon: Bursts["soon"];
  /** Says the last news again, for a process that has just begun. */
  again(): void;
  /** Somebody has this epoch from the process before: what is said from now on is a later one. */
  known(epoch: number): void;
}

export function createHeadsetClock(options: DeviceClockOptions): HeadsetClock {
  let before = 0;
  let last: News | null = null;
  const again = () => {
    if (last) options.news({ ...last, epoch: last.epoch + before });
  };
  const clock = createProbeClock({
    ticksPerSecond,
    news(news) {
      last = news;
      again();
    },
  });
  const bursts = createBursts({
    ...{ clock, probe: options.probe, signal: options.signal },
    ...{ periodMs: options.periodMs, gapMs: options.gapMs },
    settled() {
      const state = clock.state();
      if (state.offsetNs !== null) options.state({ ...state, epoch: state.epoch + before });
    },
    failed() {},
  });
  return {
    run: bursts.run,
    soon: bursts.soon,
    again,
    known(epoch) {
      const said = (last?.epoch ?? 0) + before;
      if (epoch >= said) before += epoch + 1 - said;
    },
  };
}
