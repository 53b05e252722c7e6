/** A stream's view of the headset: what the device part knows, asked for and followed. */
import { createArrivalClock } from "../../../src/clock/arrival-clock.ts";
import type { DeviceClock, StreamClock } from "../../../src/clock/device-clock.ts";
import { createFollowedClock } from "../../../src/clock/probe-clock.ts";
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import {
  type Answers,
  atLeast,
  clockVersion,
  type DeviceState,
  devicePart,
  type FromDevice,
  type Question,
  type ToDevice,
} from "./parts.ts";

export const ticksPerSecond = 10_000_000;

export interface DeviceLink {
  readonly state: DeviceState;
  /** Grows when the headset's clock began anew; null while nothing is known of it. */
  readonly epoch: number | null;
  /** The device part's answer; null where there is none in time. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q] | null>;
  /** Settings of the camera were lost: it was started. */
  pvStarted(): void;
  /** Resolves as soon as the device part has tried to reach the headset, or has had its time. */
  tried(): Promise<void>;
  /** Whether this server answers questions for its clock. */
  readonly answersProbes: boolean;
  /** By probes, or where the server answers none, by arrivals. */
  clock(lagNs: bigint): LinkClock;
}

export interface LinkClock extends StreamClock {
  readonly method: "probe" | "one-way";
  /** For each packet, in order of arrival. */
  arrived: DeviceClock["arrived"];
  state: DeviceClock["state"] | null;
}

/** Connecting to a silent host takes five seconds; the answer to a question one round trip. */
const answerWaitMs = 2500;
const triedWaitMs = 6000;

export function createDeviceLink(context: SensorContext): DeviceLink {
  let state: DeviceState = { reach: "starting", version: null, utcOffset: null };
  let epoch: number | null = null;
  let era: string | null = null;
  let asked = 0;
  const open = new Map<string, (answer: never) => void>();
  const triedOnce = Promise.withResolvers<void>();
  const tell = (message: ToDevice) => context.tell(message);
  const followed = createFollowedClock({ ticksPerSecond, doubt: () => tell({ type: "doubt" }) });

  context.heard((message, part) => {
    if (part !== devicePart) return;
    const told = message as FromDevice;
    if (told.type === "state") {
      state = told.state;
      if (state.reach !== "starting") triedOnce.resolve();
    } else if (told.type === "clock") {
      const begunAnew = epoch !== null && told.era !== era;
      if (begunAnew && told.news.epoch <= (epoch as number)) return tell({ type: "hello", epoch });
      era = told.era;
      epoch = told.news.epoch;
      followed.tell(told.news);
    } else {
      open.get(told.id)?.(told.answer as never);
    }
  });
  tell({ type: "hello", epoch });

  const answersProbes = () => state.version === null || atLeast(state.version, clockVersion);

  return {
    get state() {
      return state;
    },
    get epoch() {
      return epoch;
    },
    get answersProbes() {
      return answersProbes();
    },
    async ask<Q extends Question>(question: Q) {
      const id = `${context.part}:${asked++}`;
      const answered = Promise.withResolvers<Answers[Q] | null>();
      open.set(id, answered.resolve);
      const over = new AbortController();
      const wait = sleep(answerWaitMs, AbortSignal.any([context.signal, over.signal]));
      tell({ type: "ask", id, question });
      const answer = await Promise.race([answered.promise, wait.then(() => null)]);
      over.abort();
      open.delete(id);
      return answer;
    },
    pvStarted: () => tell({ type: "pv-started" }),
    tried: () => Promise.race([triedOnce.promise, sleep(triedWaitMs, context.signal)]),
    clock(lagNs) {
      if (answersProbes()) {
        const stream = followed.stream({ lagNs });
        return { method: "probe", map: stream.map, arrived() {}, state: null };
      }
      const { method, arrived, state, stream } = createArrivalClock({ ticksPerSecond });
      return { method: method as "one-way", map: stream({ lagNs }).map, arrived, state };
    },
  };
}
