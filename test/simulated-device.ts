/**
 * A device's clock and the network to it, on simulated time: an hour passes in a moment, and what is
 * true is known.
 */

import type { TickProbe } from "../src/clock/probe-clock.ts";

export const ms = 1_000_000;
export const second = 1000 * ms;

/** Mulberry32: the same noise in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One way's delay in ns. */
export type Delay = (next: () => number) => number;

export interface Network {
  up: Delay;
  down: Delay;
}

const exponential = (meanNs: number, next: () => number) => -Math.log(1 - next()) * meanNs;

/** 1 ms and exponentially distributed 3 ms, 5 % spikes of 20 to 100 ms. */
const wifiDelay: Delay = (next) => {
  const spike = next() < 0.05 ? (20 + 80 * next()) * ms : 0;
  return 1 * ms + exponential(3 * ms, next) + spike;
};
export const wifi: Network = { up: wifiDelay, down: wifiDelay };
export const wifiSlowUp: Network = { up: (next) => wifiDelay(next) + 2 * ms, down: wifiDelay };

/** 0.15 ms and exponentially distributed 0.03 ms, 1 % spikes of up to 5 ms; 0.1 ms more upwards. */
const wiredDelay: Delay = (next) => {
  const spike = next() < 0.01 ? 5 * ms * next() : 0;
  return 0.15 * ms + exponential(0.03 * ms, next) + spike;
};
export const wired: Network = { up: (next) => wiredDelay(next) + 0.1 * ms, down: wiredDelay };
/** Nothing but jitter: the truth lies at the very edge of what the best probes prove. */
const bareDelay: Delay = (next) => exponential(0.5 * ms, next);
export const bare: Network = { up: bareDelay, down: bareDelay };

/** Parts per million that the device's clock is slow, `at` seconds after the start. */
export type Drift = (next: () => number) => (at: number) => number;

/** 50 ppm, wandering about that with a standard deviation of 1 ppm; it comes back within minutes. */
export const quartz: Drift = (next) => {
  const secondsToReturn = 300;
  const kick = Math.sqrt(2 / secondsToReturn);
  let wander = 0;
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    wander += -wander / secondsToReturn + kick * normal;
    return 50 + wander;
  };
};
/** 120 ppm fast, and 1 ppm more or less, round and round in six minutes. */
export const swinging: Drift = () => (at) => -120 + Math.sin(at / 60);

export interface Session {
  seconds: number;
  seed: number;
  network: Network;
  drift: Drift;
  framesPerSecond?: number;
  /** Ten million where not said. */
  ticksPerSecond?: number;
  /** The device's clock is set: seconds after the start, and what it reads then or by how much it jumps. */
  reset?: { at: number; toNs?: number; byNs?: number };
  /** False where nobody probes at that second. */
  probing?: (at: number) => boolean;
}

/** What reaches us, in order of its time on our clock. */
export type Arrival =
  | { kind: "probe"; timeNs: number; probe: TickProbe; settle: boolean }
  | { kind: "frame"; timeNs: number; captureNs: number; deviceTicks: bigint; arrivalNs: bigint };

export const startNs = 5000 * second;
const bursts = { periodNs: 2 * second, probes: 8, gapNs: 64 * ms };

/** Reads the device at instants that are put in order first: its clock only goes on. */
export function arrivalsOf(session: Session): Arrival[] {
  const next = random(session.seed);
  const readings = [...probesOf(session, next), ...framesOf(session, next)];
  readings.sort((a, b) => a.atNs - b.atNs);
  const device = createDevice(session, next);
  const arrivals = readings.map(({ atNs, arrival }) => arrival(device(atNs)));
  return arrivals.sort((a, b) => a.timeNs - b.timeNs);
}

interface Reading {
  atNs: number;
  arrival(deviceTicks: bigint): Arrival;
}

const whole = (ns: number) => BigInt(Math.round(ns));

function* probesOf({ seconds, network, probing }: Session, next: () => number): Generator<Reading> {
  for (let burstNs = 0; burstNs < seconds * second; burstNs += bursts.periodNs) {
    if (probing && !probing(burstNs / second)) continue;
    let t0 = startNs + burstNs + next() * bursts.gapNs;
    for (let i = 1; i <= bursts.probes; i++) {
      const sentNs = t0;
      const atNs = sentNs + network.up(next);
      const timeNs = atNs + network.down(next);
      const settle = i === bursts.probes;
      yield {
        atNs,
        arrival(deviceTicks) {
          const probe = { t0Ns: whole(sentNs), deviceTicks, t3Ns: whole(timeNs) };
          return { kind: "probe", timeNs, probe, settle };
        },
      };
      t0 = Math.max(sentNs + bursts.gapNs, timeNs);
    }
  }
}

function* framesOf(
  { seconds, network, framesPerSecond = 10 }: Session,
  next: () => number,
): Generator<Reading> {
  let timeNs = 0;
  for (let i = 0; i < seconds * framesPerSecond; i++) {
    const captureNs = startNs + (i / framesPerSecond) * second;
    timeNs = Math.max(timeNs, captureNs + network.up(next)); // TCP: none overtakes another
    const arrivalNs = whole(timeNs);
    const at = timeNs;
    yield {
      atNs: captureNs,
      arrival: (deviceTicks) => ({ kind: "frame", timeNs: at, captureNs, deviceTicks, arrivalNs }),
    };
  }
}

function createDevice(
  { drift, reset, ticksPerSecond = 1e7 }: Session,
  next: () => number,
): (atNs: number) => bigint {
  const rate = drift(next);
  let atNs = startNs;
  let deviceNs = 300 * second;
  let slow = rate(0) * 1e-6;
  const resetNs = reset ? startNs + reset.at * second : Number.POSITIVE_INFINITY;

  const go = (toNs: number) => {
    deviceNs += (toNs - atNs) * (1 - slow);
    if (atNs < resetNs && resetNs <= toNs)
      deviceNs = (reset?.toNs ?? deviceNs) + (reset?.byNs ?? 0);
    atNs = toNs;
  };
  return (toNs) => {
    while (Math.floor(toNs / second) > Math.floor(atNs / second)) {
      go((Math.floor(atNs / second) + 1) * second);
      slow = rate((atNs - startNs) / second) * 1e-6;
    }
    go(toNs);
    return BigInt(Math.floor((deviceNs / second) * ticksPerSecond));
  };
}

export const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number;
