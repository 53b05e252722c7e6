/**
 * What happens when decoding is too slow, on simulated time: the newest wins, and nothing is decoded that
 * refers to what was left out.
 *
 * To see it fail: leave out `receiver.begin()` in `skip` of client/pump.ts, or `shownNs` in `mayBeLeftOut`.
 */
import { describe, expect, test } from "bun:test";
import { createPump } from "../sensors/hololens/client/pump.ts";
import type { Arrived, Receiver } from "../sensors/hololens/streams/receiver.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";

const ms = 1_000_000n;

interface Rig {
  pump: ReturnType<typeof createPump>;
  /** What the receiver was told: `begin`, or a packet's number and how many came after it. */
  told: ("begin" | [number: number, behind: number])[];
  counters: Record<string, number>;
  log: string[];
  /** Packet i arrives at i ms; those whose payload begins with 1 stand alone. */
  push(i: number, options?: { key?: boolean; bytes?: number }): void;
  /** Takes all that is here, each in `eachMs`. */
  finish(eachMs: number): Promise<void>;
}

function rig(leaveOut: Receiver["leaveOut"], take: (packet: Arrived) => void = () => {}): Rig {
  let nowNs = 0n;
  let eachNs = 0n;
  const told: Rig["told"] = [];
  const counters: Record<string, number> = {};
  const log: string[] = [];
  const line = (words: string) => void log.push(words);
  const receiver: Receiver = {
    leaveOut,
    begin: () => void told.push("begin"),
    take(packet, behind) {
      nowNs += eachNs;
      told.push([Number(packet.timestamp), behind]);
      take(packet);
    },
    standsAlone: (payload) => payload[0] === 1,
    close() {},
  };
  const context = { counters, log: { debug: line, info: line, warn: line, error: line } };
  const pump = createPump({ receiver, context, nowNs: () => nowNs });
  return {
    ...{ pump, told, counters, log },
    push(i, { key = false, bytes = 1 } = {}) {
      const payload = new Uint8Array(bytes);
      payload[0] = key ? 1 : 0;
      nowNs = BigInt(i) * ms;
      pump.push({ timestamp: BigInt(i), payload, pose: null, arrivalNs: nowNs });
    },
    async finish(eachMs) {
      eachNs = BigInt(Math.round(eachMs * 1e6));
      pump.end();
      await pump.run();
    },
  };
}

const numbers = (told: Rig["told"]) => told.map((one) => (one === "begin" ? one : one[0]));

describe("in time", () => {
  test.each(["any", "to-key-frame", "none"] as const)(
    "%s: a burst is taken whole",
    async (leaveOut) => {
      const { push, finish, told, counters } = rig(leaveOut);
      for (let i = 0; i < 10; i++) push(i);
      await finish(1);
      expect(told).toEqual(Array.from({ length: 10 }, (_, i) => [i, 0]));
      expect(counters).toEqual({});
    },
  );
});

describe("too slow", () => {
  test("any: straight to the newest", async () => {
    const { push, finish, told, counters, log } = rig("any");
    for (let i = 0; i < 100; i++) push(i);
    await finish(40);
    expect(told).toEqual([[99, 0]]);
    expect(counters).toEqual({ dropped: 99 });
    expect(log[0]).toBe("decoding is too slow: packets are left out");
  });

  test("to a key frame: a little late is decoded and not published, but for the newest", async () => {
    const { push, finish, told, counters } = rig("to-key-frame");
    for (let i = 0; i < 100; i++) push(i, { key: i % 30 === 0 });
    await finish(1);
    expect(numbers(told)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const hidden = told.filter((one) => one !== "begin" && one[1] > 0);
    expect(counters).toEqual({ dropped: hidden.length });
    expect(hidden.length).toBeGreaterThan(50);
    expect(told.at(-1)).toEqual([99, 0]);
  });

  test("to a key frame: far behind, on from the newest one, with a decoder that begins anew", async () => {
    const { push, finish, told, counters } = rig("to-key-frame");
    for (let i = 0; i < 3000; i += 30) push(i, { key: i % 900 === 0 });
    await finish(1);
    expect(numbers(told).slice(0, 2)).toEqual(["begin", 2700]);
    expect(counters.dropped).toBeGreaterThanOrEqual(90);
    expect(told.at(-1)).toEqual([2970, 0]);
  });

  test("to a key frame: a backlog that lasts still shows a picture now and then", async () => {
    const { push, finish, told, counters } = rig("to-key-frame");
    for (let i = 0; i < 1800; i += 20) push(i, { key: i === 0 });
    await finish(50);
    const shown = told.flatMap((one, at) => (one !== "begin" && one[1] === 0 ? [at] : []));
    // Each takes 50 ms: one in five.
    expect(shown.length).toBeGreaterThanOrEqual(Math.floor(told.length / 5));
    expect(counters).toEqual({ dropped: told.length - shown.length });
  });

  test("none: all, however late", async () => {
    const { push, finish, told, counters } = rig("none");
    for (let i = 0; i < 5000; i += 100) push(i);
    await finish(100);
    expect(told).toHaveLength(50);
    expect(counters).toEqual({});
  });

  test("more bytes than fit: nothing is decoded before the next key frame", async () => {
    const { push, finish, told, counters } = rig("to-key-frame");
    const bytes = 8 << 20;
    for (let i = 0; i < 12; i++) push(i, { key: i === 0 || i === 10, bytes });
    await finish(1);
    expect(numbers(told)).toEqual(["begin", 10, 11]);
    expect(counters).toEqual({ dropped: 10 });
  });
});

describe("unusable frames", () => {
  const frame = () => {
    throw new ProtocolError({ where: "pv", what: "a", allowed: "b", kind: "frame" });
  };

  test("are counted; twenty in a row are the end", async () => {
    const { push, finish, counters, log } = rig("none", frame);
    for (let i = 0; i < 30; i++) push(i);
    await expect(finish(1)).rejects.toMatchObject({ kind: "frame" });
    expect(counters).toEqual({ damaged: 20 });
    expect(log[0]).toBe("a frame was left out: pv: a; allowed: b");
  });

  test("one between good ones is no end", async () => {
    const { push, finish, told, counters } = rig("none", ({ timestamp }) => {
      if (timestamp % 2n === 0n) frame();
    });
    for (let i = 0; i < 60; i++) push(i);
    await finish(1);
    expect(told).toHaveLength(60);
    expect(counters).toEqual({ damaged: 30 });
  });

  test("any other error is the end at once", async () => {
    const { push, finish, told } = rig("none", () => {
      throw new ProtocolError({ where: "pv", what: "a", allowed: "b" });
    });
    push(0);
    push(1);
    await expect(finish(1)).rejects.toMatchObject({ kind: "malformed" });
    expect(told).toHaveLength(1);
  });
});
