/** The clock of a device that answers no probe, asked like any other: its frames have no error bound. */

import { type DeviceClock, ticksToNs } from "./device-clock.ts";
import { createMonotone } from "./monotone.ts";
import { createOneWayClock } from "./one-way-clock.ts";

export function createArrivalClock(options: { ticksPerSecond: number }): DeviceClock {
  const clock = createOneWayClock();
  const toNs = (ticks: bigint) => ticksToNs(ticks, options.ticksPerSecond);
  return {
    method: "one-way",
    arrived: (ticks, arrivalNs) => clock.observe(toNs(ticks), arrivalNs),
    stream({ lagNs = 0n } = {}) {
      const monotone = createMonotone();
      return {
        map: (ticks, arrivalNs) =>
          monotone({
            captureTimeNs: clock.captureTimeNs(toNs(ticks), arrivalNs) - lagNs,
            timeErrorNs: undefined,
            clockEpoch: clock.state.epoch,
          }),
      };
    },
    reset: clock.reset,
    state() {
      const { offsetNs, ratePpm, samples, epoch } = clock.state;
      const unknown = { errorNs: null, roundTripNs: null, probedNs: null };
      return { method: "one-way", offsetNs, ratePpm, probes: samples, epoch, ...unknown };
    },
  };
}
