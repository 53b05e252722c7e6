/** A probed clock and one stream of its device through a session on simulated time. */
import { createProbeClock } from "../src/clock/probe-clock.ts";
import { type Arrival, arrivalsOf, type Session, second, startNs } from "./simulated-device.ts";

export const ticksPerSecond = 10_000_000;

export interface Seen {
  captureNs: number;
  /** Ours minus the truth; NaN where the stamp says unknown. */
  errorNs: number;
  boundNs: number;
  epoch: number;
  leastRoundTripNs: number;
}

/** A clock and one stream through a whole session. */
export function play(session: Session, change: (arrival: Arrival) => Arrival = (same) => same) {
  const clock = createProbeClock({ ticksPerSecond, ...session });
  const stream = clock.stream();
  const seen: Seen[] = [];
  let before = { captureTimeNs: 0n, clockEpoch: 0 };
  for (const arrival of arrivalsOf(session).map(change)) {
    if (arrival.kind === "probe") {
      clock.observe(arrival.probe);
      if (arrival.settle) clock.settle();
      continue;
    }
    const { captureTimeNs, timeErrorNs, clockEpoch } = stream.map(
      arrival.deviceTicks,
      arrival.arrivalNs,
    );
    if (captureTimeNs !== undefined) {
      if (captureTimeNs > arrival.arrivalNs) throw new Error("captured after it arrived");
      if (clockEpoch === before.clockEpoch && captureTimeNs < before.captureTimeNs) {
        throw new Error(`ran backwards by ${before.captureTimeNs - captureTimeNs} ns`);
      }
      before = { captureTimeNs, clockEpoch };
    }
    seen.push({
      captureNs: arrival.captureNs - startNs,
      errorNs: captureTimeNs === undefined ? Number.NaN : Number(captureTimeNs) - arrival.captureNs,
      boundNs: Number(timeErrorNs),
      epoch: clockEpoch,
      leastRoundTripNs: Number(clock.state().roundTripNs),
    });
  }
  return { clock, seen };
}

export const known = (seen: Seen[]) => seen.filter(({ errorNs }) => !Number.isNaN(errorNs));
export const broken = (seen: Seen[]) =>
  known(seen).filter(({ errorNs, boundNs }) => Math.abs(errorNs) > boundNs);
export const after = (seen: Seen[], seconds: number) =>
  known(seen).filter(({ captureNs }) => captureNs >= seconds * second);
