/**
 * Between reading and decoding: reading never waits, and when decoding is too slow the newest wins, in
 * the way that the receiver allows. What is left out is counted in `dropped`.
 */
import { monotonicNs } from "../../../src/ring/ffi.ts";
import type { SensorContext } from "../../sensor.ts";
import type { Arrived, Receiver } from "../streams/receiver.ts";
import { ProtocolError } from "../wire/protocol-error.ts";

export interface Pump {
  push(packet: Arrived): void;
  /** No more comes: what is here is still taken. */
  end(): void;
  /** Takes until the end. Throws what the receiver throws, but a `frame` only when they do not cease. */
  run(): Promise<void>;
  /** At once, and what is here is given up. */
  stop(): void;
}

export interface PumpOptions {
  receiver: Receiver;
  context: Pick<SensorContext, "counters" | "log">;
  nowNs?: () => bigint;
}

/** A network delivers in bursts, which are decoded in a moment: only what waited longer is late. */
const lateNs = 50_000_000n;
/** However late: one in so long is shown, or a lasting backlog would show nothing at all. */
const unshownMaxNs = 200_000_000n;
/** More waits than can be caught up with: go on at the newest key frame. */
const farBehindNs = 2_000_000_000n;
const queueMaxBytes = 64 * 1024 * 1024;
/** Unusable frames one after the other: the connection is of no use. */
const damagedMax = 20;

export function createPump({ receiver, context, nowNs = monotonicNs }: PumpOptions): Pump {
  const { counters, log } = context;
  let queue: Arrived[] = [];
  let bytes = 0;
  let done = false;
  let seekingKeyFrame = false;
  let damagedInRow = 0;
  let shownNs = nowNs();
  let wake = () => {};

  const leaveOut = (count: number) => {
    if (count <= 0) return;
    for (const packet of queue.slice(0, count)) bytes -= packet.payload.byteLength;
    queue = queue.slice(count);
    counters.dropped = (counters.dropped ?? 0) + count;
    log.warn("decoding is too slow: packets are left out");
  };

  /** Whether decoding can go on with it. */
  const standsAlone = ({ payload }: Arrived) =>
    receiver.leaveOut !== "to-key-frame" || (receiver.standsAlone?.(payload) ?? true);

  const bound = () => {
    if (bytes <= queueMaxBytes) return;
    leaveOut(queue.length - 1);
    seekingKeyFrame = true;
    receiver.begin();
  };

  /** How many packets have to go so that the first one left is worth decoding. */
  const skip = (waitedNs: bigint): void => {
    if (receiver.leaveOut === "any" && waitedNs > lateNs) leaveOut(queue.length - 1);
    if (receiver.leaveOut === "to-key-frame" && waitedNs > farBehindNs) {
      const newest = queue.findLastIndex(standsAlone);
      if (newest <= 0) return;
      leaveOut(newest);
      receiver.begin();
    }
  };

  const take = (packet: Arrived, behind: number) => {
    try {
      receiver.take(packet, behind);
      damagedInRow = 0;
    } catch (error) {
      if (!(error instanceof ProtocolError && error.kind === "frame")) throw error;
      counters.damaged = (counters.damaged ?? 0) + 1;
      log.warn(`a frame was left out: ${error.message}`);
      damagedInRow += 1;
      if (damagedInRow >= damagedMax) throw error;
    }
  };

  /** Late, and others refer to it: decoded all the same, but not shown. */
  const mayBeLeftOut = ({ arrivalNs }: Arrived) =>
    receiver.leaveOut === "to-key-frame" &&
    nowNs() - arrivalNs > lateNs &&
    nowNs() - shownNs <= unshownMaxNs;

  const next = () => {
    const [oldest] = queue;
    if (!oldest) return;
    if (seekingKeyFrame && !standsAlone(oldest)) return leaveOut(1);
    seekingKeyFrame = false;
    skip(nowNs() - oldest.arrivalNs);
    const packet = queue.shift() as Arrived;
    bytes -= packet.payload.byteLength;
    const behind = mayBeLeftOut(packet) ? queue.length : 0;
    if (behind > 0) counters.dropped = (counters.dropped ?? 0) + 1;
    else shownNs = nowNs();
    take(packet, behind);
  };

  return {
    push(packet) {
      queue.push(packet);
      bytes += packet.payload.byteLength;
      bound();
      wake();
    },
    end() {
      done = true;
      wake();
    },
    stop() {
      done = true;
      queue = [];
      wake();
    },
    async run() {
      for (;;) {
        if (queue.length === 0) {
          if (done) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        // Decoding holds everything up: in between the socket is read.
        await new Promise((resolve) => setImmediate(resolve));
        next();
      }
    },
  };
}
