/** The time of a live picture: the kernel's own stamp where there is one, else what arrivals tell. */
import { createOneWayClock } from "../../src/clock/one-way-clock.ts";
import type { ClockState } from "../sensor.ts";

export interface LiveClock {
  readonly method: "one-way" | "local";
  readonly epoch: number;
  /** A packet with this device time has arrived. */
  arrived(deviceNs: bigint, arrivalNs: bigint): void;
  /** Call it in order of device time. */
  captureTimeNs(deviceNs: bigint, arrivalNs: bigint): bigint;
  /** Connected anew: its clock may have begun again. */
  reconnected(): void;
  state(): ClockState;
}

/** RTSP: RTP timestamps begin anywhere, and nobody answers a probe. */
export function createNetworkClock(): LiveClock {
  const clock = createOneWayClock();
  return {
    method: "one-way",
    get epoch() {
      return clock.state.epoch;
    },
    arrived: clock.observe,
    captureTimeNs: clock.captureTimeNs,
    reconnected: clock.reset,
    state() {
      const { offsetNs, ratePpm, samples, epoch } = clock.state;
      const unknown = { errorNs: null, roundTripNs: null, probedNs: null };
      return { method: "one-way", offsetNs, ratePpm, probes: samples, epoch, ...unknown };
    },
  };
}

/** A stamp of CLOCK_MONOTONIC lies a little in the past. */
const stampAgeMaxNs = 10_000_000_000n;

/**
 * V4L2: nearly every driver stamps with CLOCK_MONOTONIC when the picture was taken, which is our own
 * clock. The first packet shows whether this one does; if not, arrivals have to do.
 */
export function createDeviceClock(): LiveClock {
  const arrivals = createNetworkClock();
  let stamped: boolean | null = null;
  let newestNs: bigint | null = null;
  const isPast = (deviceNs: bigint, arrivalNs: bigint) =>
    deviceNs <= arrivalNs && deviceNs > arrivalNs - stampAgeMaxNs;
  return {
    get method() {
      return stamped ? "local" : arrivals.method;
    },
    get epoch() {
      return arrivals.epoch;
    },
    arrived(deviceNs, arrivalNs) {
      stamped ??= isPast(deviceNs, arrivalNs);
      if (!stamped) arrivals.arrived(deviceNs, arrivalNs);
      newestNs = deviceNs;
    },
    captureTimeNs(deviceNs, arrivalNs) {
      if (!stamped) return arrivals.captureTimeNs(deviceNs, arrivalNs);
      return isPast(deviceNs, arrivalNs) ? deviceNs : arrivalNs;
    },
    reconnected() {
      // CLOCK_MONOTONIC goes on while a camera is unplugged.
      if (stamped === false) arrivals.reconnected();
    },
    state() {
      if (!stamped) return arrivals.state();
      const offsetNs = newestNs === null ? null : 0n;
      const unknown = { errorNs: null, roundTripNs: null, probedNs: null, probes: 0 };
      return { method: "local", offsetNs, ratePpm: 0, epoch: 0, ...unknown };
    },
  };
}
